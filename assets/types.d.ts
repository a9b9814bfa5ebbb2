// The data that the page gets from its server and passes between its modules; explorer/page/layout.py and answer.py write it.

export type Pixels = number[]; // 64 values, row by row
export type Value = number | string | boolean;
export type Options = Record<string, Record<string, Value>>; // of single methods: by method, then by setting

/** What the user chose: the same names as in state.py. */
export interface State {
  pixels: Pixels;
  network: string;
  target: number | "predicted";
  output: "probability" | "logit";
  baseline: string;
  baseline_seed: number;
  drawing: Pixels | null;
  steps: number;
  rule: string;
  samples: number;
  noise_level: number;
  seed: number;
  clip: boolean;
  options: Options;
  pinned: string[];
  tab: string;
  scale: "unit" | "own";
  lab: string; // the one that is open, "" for none
  lab_settings: Record<string, Value>; // those that differ from their defaults
  lesson: string; // the one that is open, "" for none
  lesson_step: number; // from 1
  hide: string[]; // groups of controls
}

export interface Setting {
  name: string;
  title: string;
  default: Value;
  low: number;
  high: number;
  choices: string[];
  kind: "truth" | "whole" | "number" | "choice";
  shared: boolean;
}

export interface Method {
  title: string;
  year: number;
  paper: string;
  reference: string;
  family: string;
  formula: string;
  complete: string;
  other_units: Record<string, [Value, string][]>; // by setting: the unit with some of its values
  asks_at: "picture" | "path" | "copies" | "";
  asks: string; // where else, in words
  unit: string; // of its map, "" if its parts have different ones
  invariant: boolean;
  passes: string;
  explains: "F" | "logit";
  caveat: string;
  settings: Setting[];
  unsupported: Record<string, string>; // by network: why the method does not apply to it
}

export interface Convention {
  title: string;
  source: string;
  shared: Partial<State> & Pick<State, "rule" | "steps" | "baseline" | "samples" | "noise_level">;
  options: Options;
  notes: string[];
}

export interface Network {
  title: string;
  about: string;
  classes: string[];
  class_options: { label: string; value: string }[];
  mean: Pixels; // of its training pictures, to two decimals
  task: "shapes" | "digits" | null; // which pictures it tells apart; null if it was not trained to
  accuracy: number | null;
  held_out: number | null;
  exact: boolean; // whether the exact rule applies
  own: boolean; // whether a user added it
  samples: number[][]; // levels of some of its pictures; none for those of the zoo
}

/** An experiment of the tab Labs: see lab.py. */
export interface Lab {
  title: string;
  group: string;
  question: string;
  minutes: number;
  emblem: string;
  prediction: string;
  choices: string[];
  settings: Setting[];
  looks: string[]; // settings that no answer depends on
  why: string;
  caveat: string;
  papers: { who: string; title: string; address: string }[];
  unsupported: Record<string, string>; // by network: why it does not work there
  instead: Partial<State>; // with which it does
}

/** A text of a lesson is HTML that the server made of Markdown. */
export interface LessonStep {
  title: string;
  start: Partial<State> | null; // what differs from the defaults
  points: string; // a name in `controls`, "" for none
  beside: "gradient" | "sum" | ""; // the map that a phone shows beside the picture
  text: string;
  predict: string;
  choices: { text: string; right: boolean; feedback: string }[];
  mark: { map: string; pixels: number } | null; // the visitor marks so many before this map is shown
  task: string;
  done: Record<string, Record<string, any>>; // predicates, all of which must hold, with their arguments
  reveal: string;
  explain: string;
}

export interface Lesson {
  title: string;
  minutes: number;
  about: string;
  own: boolean; // of the teacher's folder
  steps: LessonStep[];
}

export interface Lessons {
  lessons: Record<string, Lesson>;
  controls: Record<string, string>; // selectors
}

/** What a predicate of a lesson looks at. */
export interface Seen {
  state: State;
  answer: Answer;
  share: number; // of the path, where the playhead is
  lowest: number; // where it was since the step began, at the least
  before: State; // when the step began
  predicted: number; // the class then
  pixel: number | null; // the chosen one
  magnified: boolean;
  marks: number; // pixels that the visitor marked
  pattern: string; // that the picture is, "" for none
  lab: string; // the lab whose answer is shown after a prediction
}

export interface Said {
  text: string;
  numbers: Record<string, number>;
  place: "headline" | "second" | "more";
}

/** A figure of Plotly's, without a template, and the sentence that stands for it. */
export interface Plot {
  figure: { data: any[]; layout: Record<string, any> };
  says: Said;
}

/** Each lab has members of its own besides. */
export interface LabAnswer {
  ask: number;
  outcome: number | null; // the choice that came true
  said: Said[];
  charts: Record<string, Plot>;
  [name: string]: any;
}

/** What a lab's script is given. */
export interface LabHost {
  name: string;
  controls: HTMLElement; // where it puts what the visitor changes
  figures: HTMLElement; // where it puts what is seen
  value: (setting: string) => any; // as it is set now
  set: (patch: Record<string, Value>, done?: boolean) => void; // not done: while a slider moves
}

/** One script of panels/labs/: builds its controls and figures once, and shows each answer. */
export interface LabScript {
  build: (lab: LabHost) => { show: (answer: LabAnswer) => void; valuesAt?: (pixel: number) => string[] };
}

/** What the layout says once. */
export interface Config {
  defaults: State;
  levels: number;
  alphabet: string;
  link: Record<string, string>; // the key of each field of the state in a link
  painted: string; // the key of a painted picture
  link_version: string;
  build: string;
  parts: string[]; // HTML of the elements that are numbered in data-part
  limits: Record<string, [number, number]>;
  patterns: Record<string, { title: string; levels: number[] }>;
  baselines: Record<string, string>; // their titles
  starts: Record<string, string>; // how sentences name them
  digits: number[][][]; // by digit, then by sample: levels
  networks: Record<string, Network>;
  methods: Record<string, Method>;
  conventions: Record<string, Convention>;
  labs: Record<string, Lab>; // in the order of the shelf
  lab_words: Record<string, string>; // words that are terms
  chart_templates: Record<"light" | "dark", object>; // of Plotly
  core: string[];
  compared: string[];
  tabs: string[];
  exact_tabs: string[];
  families: string[];
  terms: Record<string, { text: string; concept: string }>; // what a popover says, and the concept that says more
  first: Record<string, [string, string]>; // what the tab Methods opens with: the question that each answers, and a caveat
  method_tabs: string[]; // which show answers of single methods
  own_hosts: string; // a pattern: the hosts that every machine takes for itself
  most_pinned: number;
  most_methods: number; // in one question
  looks: string[]; // fields of the state that no number of the explanation depends on
  lessons: string; // the address of the lessons, which are fetched when the first one is opened
  rooms: boolean; // whether a class may meet in rooms
  lms_origin: string; // who is told that a lesson is finished; "" for nobody
  challenges?: { kind: string; title: string; rule: string }[]; // where there are rooms
  answer?: string; // to an address without a link, as JSON
}

/** What is known of one method. What the explanation holds has no expected sum and no passes. */
export interface Result {
  map: number[];
  snr: number;
  mean: number;
  total: number;
  top: [number, number, number][]; // row, column, value
  expected_sum?: number | null;
  delta: number;
  share: number | null;
  forward?: number;
  backward?: number;
  noise?: number | null;
  refusal?: undefined;
}

export interface Refusal {
  refusal: string;
  map?: undefined;
}

export interface MethodAnswer {
  ask: number;
  methods: Record<string, Result | Refusal>;
}

/** The explanation of a state. Texts in `curves`, `path` and `exact` are packed numbers. */
export interface Answer {
  ask: number;
  state?: State; // the one that a link was read as
  notices?: string[];
  baseline: Pixels;
  scores: number[];
  predicted: number;
  target: number;
  f: { input: number; baseline: number; delta: number };
  equal_pixels: number;
  methods: Record<string, Result>;
  curves: Record<State["output"], string>; // of the target along the path
  logit_gradient: string;
  path: { alphas: number[]; weights: number[]; values: number[]; ends: [number, number]; gradients: string };
  exact: { map: number[]; pieces: number; switches: string; error_max: number; error_mean: number } | null;
  smoothgrad: { error: number[] | null; snr: number | null; sigma: number };
  correlations: (number | null)[][];
  narration: Record<string, Said[]>; // by tab
}

/** An answer's path, unpacked for playback. Steps count from 0 to `count`. */
export interface Path {
  count: number;
  alphas: number[];
  values: number[];
  curve: number[];
  switches: number[];
  reached: number[]; // the share of the path that the steps so far stand for
  weights: number[];
  ends: [number, number];
  gradients: Float32Array;
  gradientAt: (step: number) => Float32Array;
  input: Pixels;
  difference: number[];
  running: Float64Array; // 64 values a step
  sums: Float64Array;
  limit: number;
  steepest: number; // of all steps
  scale: number; // of gradients: the steepest of all steps and of the picture
  sizes: { x: number[]; y: number[] }; // the largest |gradient| at each place on the path
}

export interface View {
  config: Config;
  state: State;
  answer: Answer;
  asked: State; // the state that `answer` belongs to
  path: Path;
  step: number;
  pixel: number | null; // the one under a pointer
  chosen: number | null; // stays marked when no pointer is on any
  hovered: string | null; // the method whose map the pointer was on last
  method: string; // whose figures are shown on the right
}

/** What a panel says of itself: above its maps, on the line below, in the list below it. */
export interface Told {
  headline: string;
  second: string;
  more?: string[];
}

/** A tab's panel: one script and one line in panels/registry.js. */
export interface Panel {
  start: () => void;
  draw: () => void; // while the tab is shown: for a new answer, theme or size
  sentence?: () => Told | null; // what is said of it; null for what the server says
  valuesAt?: (pixel: number) => string[]; // what its maps say of a pixel
}

declare global {
  interface Window {
    DashRenderer?: unknown;
    Plotly?: { react: (host: HTMLElement, data: object[], layout: object, config: object) => Promise<unknown>; Plots: { resize: (host: HTMLElement) => void } };
    dash_clientside: {
      explorer?: Record<string, (...values: any[]) => unknown>;
      no_update?: unknown;
      callback_context: CallbackContext;
      set_props?: (id: string, props: object) => void;
    };
  }
}

export interface CallbackContext {
  inputs_list: { id: string }[];
  triggered: { prop_id: string }[];
}
