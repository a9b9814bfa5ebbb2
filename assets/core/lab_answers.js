// The answer of the open lab: asked for when it is seen and the picture rests. One question in flight; the newest wins.

import { Refused } from "./errors.js";
import { emit, on } from "./events.js";
import { Retry } from "./retry.js";
import { askServer } from "./server.js";
import { isAsking } from "./session.js";
import { hasAnswer, view } from "./store.js";

/** @import { LabAnswer, State, Value } from "../types.js" */

/** @typedef {{ key: string, state: State, lab: { name: string, settings: Record<string, Value> } }} Question */

const QUIET = 200; // ms without news of the picture before a lab is asked for
const LOST_AFTER = 20000; // ms after which a question is given up

const retry = new Retry("labs");
/** @type {{ key: string, answer?: LabAnswer, refusal?: string } | null} */
let known = null;
/** @type {AbortController | null} */
let stop = null; // of the question on its way
let flying = ""; // its key
let asked = 0;
let timer = 0;
let notBefore = 0; // when a server that was busy or away may be asked again

export function startLabAnswers() {
  on("answer", wantLab);
  on("tab", wantLab);
}

/** What is known of the open lab; `fresh` says whether it belongs to what is set now. */
export function labKnown() {
  const now = question();
  return { answer: known?.answer, refusal: known?.refusal, fresh: Boolean(now && known?.key === now.key) };
}

/** Ask for the open lab unless its answer is there; called whenever what it depends on may have changed. */
export function wantLab() {
  const now = question();
  if (stop && flying !== now?.key) stop.abort();
  if (now?.lab.name !== nameOf(known?.key)) known = null;
  if (!now) retry.stop();
  else if (now.key !== known?.key && !stop) later(isAsking() ? QUIET : 0);
  emit("lab");
}

const nameOf = (/** @type {string | undefined} */ key) => key && JSON.parse(key)[0];

/** @returns {Question | null} what there is to be asked */
function question() {
  const { asked: state, state: chosen, config } = view;
  if (chosen.tab !== "labs" || !chosen.lab || !hasAnswer() || config.labs[chosen.lab].unsupported[chosen.network]) return null;
  const { looks } = config.labs[chosen.lab];
  const settings = Object.fromEntries(Object.entries(chosen.lab_settings).filter(([name]) => !looks.includes(name)));
  const whole = { ...state, options: chosen.options, pinned: chosen.pinned, tab: "labs", lab: "", lab_settings: {}, lesson: "", lesson_step: 1, hide: [] };
  const key = JSON.stringify([chosen.lab, settings, { ...whole, scale: "" }]);
  return { key, state: whole, lab: { name: chosen.lab, settings } };
}

/** @param {number} wait in ms */
function later(wait) {
  clearTimeout(timer);
  timer = window.setTimeout(work, Math.max(wait, notBefore - performance.now()));
}

async function work() {
  for (let now = question(); now && !stop && now.key !== known?.key; now = question()) {
    if (isAsking()) return later(QUIET);
    const failure = await ask(now);
    if (!failure) continue;
    notBefore = performance.now() + retry.fail(failure);
    return later(0);
  }
}

/**
 * Ask once; returns why no answer came, unless another question took its place.
 * @param {Question} now
 * @returns {Promise<Error | null>}
 */
async function ask(now) {
  const controller = new AbortController();
  [stop, flying] = [controller, now.key];
  const lost = setTimeout(() => controller.abort(new Error("no answer")), LOST_AFTER);
  retry.begin();
  try {
    const wanted = { ask: ++asked, state: now.state, lab: now.lab };
    known = { key: now.key, answer: await askServer("lab-answers", "lab-question", wanted, controller.signal) };
  } catch (cause) {
    if (cause instanceof Refused) known = { key: now.key, refusal: cause.message };
    else return question()?.key === now.key ? /** @type {Error} */ (cause) : null;
  } finally {
    clearTimeout(lost);
    stop = null;
  }
  retry.succeed();
  notBefore = 0;
  emit("lab");
  return null;
}
