// The answers of single methods: asked for in small portions when they are looked at, kept until the question changes. They
// never stand in the way of painting: nothing is asked while the picture changes, and a portion on its way is dropped when it does.

import { Busy, Refused } from "./errors.js";
import { emit, on } from "./events.js";
import { rankCorrelation, signed } from "./numbers.js";
import { Retry } from "./retry.js";
import { askServer } from "./server.js";
import { commitUnasked, isAsking, update } from "./session.js";
import { hasAnswer, view } from "./store.js";
import { isForeign, outdated } from "./version.js";

/** @import { MethodAnswer, Refusal, Result, Setting, Value } from "../types.js" */

const QUIET = 200; // ms without news of the picture before methods are asked for
const LOST_AFTER = 20000; // ms after which a portion is given up

const retry = new Retry("methods");
/** @type {Record<string, Result | Refusal>} */
let results = {}; // by method, for the state that view.answer belongs to
/** @type {string[][]} */
let wanted = []; // portions, in the order in which they are wanted
/** @type {AbortController | null} */
let stop = null; // of the portion on its way
let stamp = 0; // grows whenever what is known or on its way is out of date
let asked = 0;
let timer = 0;
/** @type {string[]} */
let flying = []; // the portion on its way
let notBefore = 0; // when a server that was busy or away may be asked again
let busy = false;
let answered = ""; // the question that the shown answer belongs to, without looks

export function startMethodResults() {
  on("asking", () => stop && drop()); // the picture first: what is on its way will be out of date
  on("answer", () => {
    if (!busy) notBefore = 0; // it was away, and is back
    const asks = JSON.stringify({ ...view.asked, tab: null, scale: null, pinned: null, lesson: null, lesson_step: null, hide: null });
    if (asks === answered) emit("methods", null); // more of the same answer: what is known stays
    else forget(null); // every panel is drawn anew for it
    answered = asks;
  });
  on("adopted", () => hasAnswer() && forget(Object.keys(view.config.methods)));
}

/**
 * What is known of a method: an answer, a refusal, or undefined while it is not there yet.
 * @param {string} name
 * @returns {Result | Refusal | undefined}
 */
export function resultOf(name) {
  const reason = reasonAgainst(name);
  if (reason) return { refusal: `Does not apply here: ${reason[0].toUpperCase()}${reason.slice(1)}.` };
  if (view.state.network !== view.asked.network) return undefined; // no old network's map under a new name
  // the explanation knows the core methods as the page's settings have them, without options of their own
  return results[name] ?? (hasOptions(name) ? undefined : view.answer.methods[name]);
}

/**
 * The same, but the explanation's own map where it has one: it is there at once.
 * @param {string} name
 */
export function shownOf(name) {
  const result = resultOf(name);
  return (result && !hasOptions(name) && view.answer.methods[name]) || result;
}

/**
 * Why a method does not apply to the network, if it does not.
 * @param {string} name
 */
export const reasonAgainst = (name) => view.config.methods[name].unsupported[view.state.network];

/**
 * The unit of a method's map with its settings, F being what it explains; "" if it has none.
 * @param {string} name
 */
export function unitOf(name) {
  const { unit, other_units: others } = view.config.methods[name];
  const own = view.state.options[name] ?? {};
  const found = Object.entries(others).flatMap(([setting, units]) => units.filter(([value]) => value === own[setting]));
  return found.length ? found[0][1] : unit;
}

/**
 * What a method explains, as a text.
 * @param {string} name
 */
export const explainedBy = (name) => (view.config.methods[name].explains === "logit" || view.asked.output === "logit" ? "logit" : "P");

/**
 * What the maps of some methods say of a pixel; those that are not there are left out.
 * @param {string[]} names
 * @param {number} pixel
 */
export const readings = (names, pixel) =>
  names.flatMap((name) => {
    const map = resultOf(name)?.map;
    return map ? [`${view.config.methods[name].title} ${signed(map[pixel])}`] : [];
  });

/**
 * Rank correlation of two methods' maps; null where a map is flat, undefined while one is not there.
 * @param {string} one
 * @param {string} two
 */
export function correlationOf(one, two) {
  const { compared } = view.config;
  const known = [one, two].every((name) => compared.includes(name) && !hasOptions(name));
  if (known) return view.answer.correlations[compared.indexOf(one)][compared.indexOf(two)];
  const [a, b] = [one, two].map((name) => resultOf(name)?.map);
  return a && b ? rankCorrelation(a, b) : undefined;
}

/**
 * Ask for these, instead of what was wanted before; those that are known are not asked again.
 * @param {string[]} names
 * @param {number} [most] in one question
 */
export function wantMethods(names, most = view.config.most_methods) {
  const isFlying = (/** @type {string} */ name) => Boolean(stop) && flying.includes(name);
  const missing = names.filter((name) => !reasonAgainst(name) && !results[name] && !isFlying(name));
  const waiting = wanted.flat().filter((name) => !isFlying(name));
  if (waiting.length !== missing.length || !missing.every((name) => waiting.includes(name))) {
    wanted = []; // else they stay as they are: a portion may have been split
    for (let i = 0; i < missing.length; i += most) wanted.push(missing.slice(i, i + most));
  }
  if (!stop) later(0);
}

export const knownResults = () => results;

/**
 * Whether a method has settings other than the page's and its defaults.
 * @param {string} name
 */
export const hasOptions = (name) => Boolean(view.state.options[name]);

/**
 * Whether a method was answered by itself, with all its figures.
 * @param {string} name
 */
export const isWhole = (name) => Boolean(results[name]);

/**
 * A method's own setting was changed: its answer is out of date, the others are not.
 * @param {string} name
 * @param {Setting} setting
 * @param {Value} value
 */
export function setOption(name, setting, value) {
  const all = structuredClone(view.state.options);
  const own = { ...all[name], [setting.name]: value };
  if (value === setting.default) delete own[setting.name];
  all[name] = own;
  const order = Object.keys(view.config.methods).filter((key) => all[key] && Object.keys(all[key]).length);
  update({ options: Object.fromEntries(order.map((key) => [key, all[key]])) });
  commitUnasked();
  delete results[name];
  drop(); // what is on its way may have been asked with the old option
  emit("methods", [name]);
}

/**
 * Do something when the picture rests, unless what is known is out of date by then.
 * @param {() => void} action
 */
export function whenQuiet(action) {
  const mine = stamp;
  const look = () => {
    if (mine !== stamp) return;
    if (isAsking()) wait();
    else action();
  };
  const wait = () => setTimeout(look, QUIET);
  wait();
}

/**
 * @param {string[] | null} changed what listeners are to draw again; null when they are drawing everything already
 */
function forget(changed) {
  results = {};
  wanted = [];
  drop();
  emit("methods", changed);
}

function drop() {
  stamp++;
  retry.stop();
  stop?.abort();
}

/** @param {number} wait in ms */
function later(wait) {
  clearTimeout(timer);
  timer = window.setTimeout(work, Math.max(wait, notBefore - performance.now()));
}

async function work() {
  while (wanted.length && !stop) {
    if (!view.config.method_tabs.includes(view.state.tab)) return endUnseen();
    if (isAsking()) return later(QUIET);
    const portion = wanted[0];
    const mine = stamp;
    const { answer, refusal, failure } = await ask(portion);
    if (mine !== stamp) continue; // dropped: go on with what is wanted now
    if (refusal && portion.length > 1) {
      split(portion);
      continue;
    }
    const trouble = failure ?? use(portion, answer ?? refused(portion[0], refusal));
    if (trouble) return putOff(portion, trouble);
  }
}

/**
 * @param {string[]} portion
 * @returns {Promise<{ answer?: MethodAnswer, refusal?: Refused, failure?: Error }>}
 */
async function ask(portion) {
  flying = portion;
  const controller = new AbortController();
  stop = controller;
  const lost = setTimeout(() => controller.abort(), LOST_AFTER);
  retry.begin();
  try {
    const question = { ask: ++asked, state: { ...view.asked, options: view.state.options }, methods: portion };
    return { answer: await askServer("method-answers", "method-question", question, controller.signal) };
  } catch (cause) {
    const failure = /** @type {Error} */ (cause);
    return failure instanceof Refused ? { refusal: failure } : { failure };
  } finally {
    stop = null;
    clearTimeout(lost);
  }
}

/**
 * The others need not wait for it.
 * @param {string[]} portion
 * @param {Error} failure
 */
function putOff(portion, failure) {
  wanted = [...wanted.filter((part) => part !== portion), portion];
  busy = failure instanceof Busy;
  notBefore = performance.now() + retry.fail(failure);
  later(0);
}

/** No tab that shows methods is open. */
function endUnseen() {
  wanted = [];
  retry.stop();
}

/**
 * Returns why not, where an answer of another version cannot be drawn.
 * @param {string[]} portion
 * @param {MethodAnswer} answer
 */
function use(portion, answer) {
  const before = { results: { ...results }, wanted };
  try {
    Object.assign(results, answer.methods);
    wanted = wanted.filter((part) => part !== portion);
    emit("methods", portion);
    retry.succeed();
    return null;
  } catch (failure) {
    if (!isForeign(answer)) throw failure;
    ({ results, wanted } = before);
    return outdated();
  }
}

/**
 * A portion that was refused: together its methods may be too much work where each alone is not.
 * @param {string[]} portion
 */
function split(portion) {
  retry.succeed();
  wanted = wanted.flatMap((part) => (part === portion ? part.map((name) => [name]) : [part]));
}

/**
 * @param {string} name
 * @param {Refused | undefined} refusal
 * @returns {MethodAnswer}
 */
const refused = (name, refusal) => ({ ask: asked, methods: { [name]: { refusal: refusal?.message.trim() ?? "" } } });
