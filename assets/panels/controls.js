// The settings: what Dash's inputs say goes into the state; a state from elsewhere goes into the inputs.

import { equalBaselineSentences } from "../core/derived.js";
import { byId, inputById, write } from "../core/dom.js";
import { on } from "../core/events.js";
import { notice } from "../core/notices.js";
import { commit, update } from "../core/session.js";
import { hasStarted, view } from "../core/store.js";

/** @import { CallbackContext, State } from "../types.js" */

const SETTLE = 200; // ms after the last tick of a slider until its value counts
const NUMBERS = /** @type {const} */ ({ steps: "Steps m", samples: "Samples n", seed: "The seed", baseline_seed: "The seed" });

/** @typedef {keyof typeof NUMBERS} NumberName */

/** @type {Record<string, unknown>} */
const inInputs = {}; // what Dash's inputs hold, as far as is known
let held = false; // a slider is being dragged
let timer = 0;
let classesOf = ""; // the network whose classes the targets are; at first that of the layout
let noiseMax = 0; // per cent, of the slider as the layout has it

const numberNames = () => /** @type {NumberName[]} */ (Object.keys(NUMBERS));

/** @type {(id: string, props: object) => void} */
const setProps = (id, props) => window.dash_clientside.set_props?.(id, props);

export function startControls() {
  document.querySelectorAll("#settings input[type=range]").forEach((slider) => {
    slider.addEventListener("pointerdown", () => (held = true));
    slider.addEventListener("change", release);
  });
  window.addEventListener("pointerup", () => held && release());
  window.addEventListener("pointercancel", () => held && release());
  byId("keep-drawing").addEventListener("click", () => choose({ baseline: "drawing", drawing: view.state.pixels.slice() }));
  byId("new-seed").addEventListener("click", () => choose({ seed: (view.state.seed + 1) % (view.config.limits.seed[1] + 1) }));
  if (window.matchMedia("(max-width: 899px)").matches) /** @type {HTMLDetailsElement} */ (byId("settings")).open = false;
  numberNames().forEach((id) => byId(id).addEventListener("blur", () => restore(id)));
  document.addEventListener("wheel", leaveField, { passive: true, capture: true });
  on("state", show);
  on("adopted", writeInputs);
  on("answer", () => write(byId("baseline-hint"), equalBaselineSentences().join(" ")));
}

/**
 * The wheel scrolls the page: browsers let it change a number, in places a slider or a select too, that has the focus.
 * @param {Event} event
 */
function leaveField({ target }) {
  if (target instanceof HTMLElement && target === document.activeElement && target.matches("input, select")) target.blur();
}

/** Dash may still be on its way with the last value: count it in. */
function release() {
  held = false;
  if (timer) settleIn(60);
}

/** @param {number} wait in ms */
function settleIn(wait) {
  clearTimeout(timer);
  timer = window.setTimeout(() => held || settle(), wait);
}

function settle() {
  clearTimeout(timer);
  timer = 0;
  commit();
}

/**
 * Dash calls this with every input's value when one of them changes; only those that changed count.
 * @param {any[]} values
 * @param {CallbackContext} context
 */
export function controlsChanged(values, context) {
  if (!hasStarted()) return;
  const names = context.inputs_list.map((input) => input.id);
  const isNew = (/** @type {string} */ id) => values[names.indexOf(id)] !== inInputs[id]; // else it is this module's own writing come back
  const moved = context.triggered.map(({ prop_id }) => prop_id.split(".")[0]).filter(isNew);
  names.forEach((name, i) => (inInputs[name] = values[i]));
  /** @type {Partial<State>} */
  const patch = {};
  let slid = false;
  moved.forEach((id) => {
    slid = slid || inputById(id).type === "range";
    Object.assign(patch, read(id, values[names.indexOf(id)]));
  });
  const changes = Object.entries(patch).filter(([name, value]) => value !== view.state[/** @type {keyof State} */ (name)]);
  if (!changes.length) return;
  update(withConsequences(Object.fromEntries(changes)));
  writeInputs();
  if (slid) settleIn(SETTLE);
  else commit();
}

/**
 * One input's value as a field of the state; nothing when it cannot be one, and the reason is shown.
 * @param {string} id
 * @param {any} value
 */
function read(id, value) {
  const name = id.replace("-slider", "");
  if (name in NUMBERS) return readNumber(/** @type {NumberName} */ (name), value);
  if (name === "target") return { target: value === "predicted" ? value : Number(value) };
  if (name === "noise_level") return { noise_level: Number(value) / 100 };
  if (name === "clip") return { clip: Boolean(value) };
  return { [name]: value };
}

/**
 * @param {NumberName} name
 * @param {any} value
 */
function readNumber(name, value) {
  const [low, high] = view.config.limits[name];
  const number = Number(value);
  const fits = value !== null && value !== "" && Number.isInteger(number) && number >= low && number <= high;
  refuse(name, fits ? "" : `${NUMBERS[name]} must be a whole number from ${low} to ${high}; still using ${view.state[name]}.`);
  return fits ? { [name]: number } : {};
}

/**
 * A field that was left empty shows again what is in use.
 * @param {NumberName} id
 */
function restore(id) {
  if (inputById(id).value !== "" || inInputs[id] === view.state[id]) return;
  inInputs[id] = view.state[id];
  setProps(id, { value: view.state[id] });
  refuse(id, "");
}

/**
 * @param {string} name
 * @param {string} text
 */
function refuse(name, text) {
  const place = byId(`${name}-refusal`);
  if (place) write(place, text);
  else if (text) notice(text);
}

/**
 * A new network has other classes; a drawing can only be the baseline once there is one.
 * @param {Partial<State>} patch
 */
function withConsequences(patch) {
  if (patch.network) patch.target = "predicted"; // an index means something else there
  if (patch.baseline === "drawing" && !view.state.drawing) patch.drawing = view.state.pixels.slice();
  return patch;
}

/** @param {Partial<State>} patch */
export function choose(patch) {
  update(withConsequences(patch));
  writeInputs();
  commit();
}

/** Write the state into Dash's inputs; those that have the value already stay untouched. */
function writeInputs() {
  const { state } = view;
  const set = (/** @type {string} */ id, /** @type {unknown} */ value) => {
    if (inInputs[id] === value) return;
    inInputs[id] = value;
    setProps(id, { value });
  };
  showClasses();
  const fields = /** @type {const} */ (["network", "output", "baseline", "baseline_seed", "rule", "steps", "samples", "seed", "clip"]);
  fields.forEach((name) => set(name, state[name]));
  set("target", String(state.target));
  set("steps-slider", state.steps);
  set("samples-slider", state.samples);
  set("noise_level", Math.round(100 * state.noise_level));
  set("scale", state.scale);
  numberNames().forEach((name) => refuse(name, ""));
}

function showClasses() {
  classesOf ||= view.config.defaults.network;
  if (classesOf === view.state.network) return;
  classesOf = view.state.network;
  setProps("target", { options: view.config.networks[classesOf].class_options });
}

function show() {
  const { state, config } = view;
  const network = config.networks[state.network];
  const accuracy = network.accuracy === null ? "" : ` Right on ${(100 * network.accuracy).toFixed(1)} % of ${network.held_out} held-out pictures.`;
  write(byId("network-hint"), network.about + accuracy);
  write(byId("noise-shown"), `${Number((100 * state.noise_level).toFixed(2))} %, σ = ${Number(state.noise_level.toFixed(4))}`);
  byId("baseline-seed-field").hidden = state.baseline !== "noise";
  const most = 100 * config.limits.noise_level[1];
  noiseMax ||= Number(inputById("noise_level").max);
  inputById("noise_level").max = String(100 * state.noise_level > noiseMax ? most : noiseMax); // only a convention goes past the slider
  const exact = state.rule === "exact";
  ["steps", "steps-slider"].forEach((id) => (inputById(id).disabled = exact));
}
