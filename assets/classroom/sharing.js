// Answers beside the explanation: those of single methods, and of the open lab. The teacher's page tells which it has, the server
// gives them to the room once, and a page that follows takes them from there instead of asking.

import { on } from "../core/events.js";
import { labKnown } from "../core/lab_answers.js";
import { sameValue } from "../core/link.js";
import { knownResults } from "../core/method_results.js";
import { answersFrom } from "../core/server.js";
import { view } from "../core/store.js";
import { partsOf, soon } from "./parts.js";

/** @import { State, Value } from "../types.js" */
/** @import { Room } from "./room.js" */

const WITHIN = 2500; // ms for the room to have an answer before a page asks for it itself, and before the page says that it waits

const OF_LAB = /** @type {const} */ (["lab", "lab_settings", "pinned"]);

/** What the numbers of an explanation depend on. */
const names = () => /** @type {(keyof State)[]} */ (Object.keys(view.state)).filter((name) => !view.config.looks.includes(name));

/**
 * The teacher's page tells the room which answers it has.
 * @param {Room} room
 * @param {() => number} known the number of the change by which the room knows this page's state; 0: it does not
 */
export function startSharing(room, known) {
  let told = { since: 0, methods: new Set(), lab: "" };
  let flying = false;

  /** @param {number} since the change that brought the numbers that this page has */
  function news(since) {
    const { state, asked, config } = view;
    if (names().some((name) => !sameValue(asked[name], state[name]))) return null; // these numbers are on their way
    if (since !== told.since) told = { since, methods: new Set(), lab: "" }; // the room has dropped what it had
    const results = config.method_tabs.includes(state.tab) ? Object.entries(knownResults()) : [];
    const methods = results.flatMap(([name, result]) => (result.map && !told.methods.has(name) ? [name] : [])).slice(0, config.most_methods);
    const { answer, fresh } = labKnown();
    const lab = fresh && answer ? JSON.stringify(OF_LAB.map((name) => state[name])) : "";
    return methods.length || (lab && lab !== told.lab) ? { methods, lab: lab && lab !== told.lab ? lab : "" } : null;
  }

  async function tell() {
    const n = known();
    const lead = room.parts.get("lead");
    const body = n && n === lead?.n && !flying ? news(lead.since) : null;
    if (!body) return;
    flying = true;
    body.methods.forEach((name) => told.methods.add(name));
    told.lab = body.lab || told.lab;
    await room.sendOnce("share", { n, methods: body.methods, lab: Boolean(body.lab) }).catch(() => {}); // each page asks for itself then
    flying = false;
    tell();
  }

  const later = soon(tell);
  const ends = [on("methods", later), on("lab", later), room.on("message", later)];
  room.on("over", () => ends.forEach((end) => end()));
}

/**
 * A page that follows gets these answers from the room, as far as they come soon.
 * @param {Room} room
 * @param {() => boolean} isShown whether this page shows what the teacher's does
 */
export function takeShared(room, isShown) {
  let vain = ""; // what a question waited for in vain
  answersFrom(async (output, question, signal) => {
    if (output !== "method-answers" && output !== "lab-answers") return null;
    const look = () => (output === "lab-answers" ? labOf(room, question) : methodsOf(room, question.methods));
    const until = performance.now() + WITHIN;
    for (;;) {
      if (!room.following) return null;
      const wanted = `${output} ${room.parts.get("lead")?.since}`;
      const found = isShown() ? look() : null;
      if (found || wanted === vain) return found;
      if (performance.now() > until) vain = wanted; // the teacher's page has them not: the next question does not wait
      else await changed(room, until - performance.now(), signal);
    }
  });
  room.on("over", () => answersFrom(null));
}

/**
 * Waits for news of the room, but not long.
 * @param {Room} room
 * @param {number} most in ms
 * @param {AbortSignal} signal
 */
async function changed(room, most, signal) {
  /** @type {(() => void)[]} */
  const ends = [];
  try {
    await new Promise((resolve) => {
      const timer = window.setTimeout(resolve, most);
      ends.push(() => clearTimeout(timer), ...["message", "following", "over"].map((name) => room.on(name, resolve)));
      signal.addEventListener("abort", resolve);
      ends.push(() => signal.removeEventListener("abort", resolve));
    });
  } finally {
    ends.forEach((end) => end());
  }
  signal.throwIfAborted();
}

/**
 * Those of the parts below a name that belong to what the teacher's page shows.
 * @param {Room} room
 * @param {string} prefix
 */
function valid(room, prefix) {
  const led = room.parts.get("lead");
  return led ? partsOf(room, prefix).flatMap(([, part]) => (part.n >= led.since ? [part] : [])) : [];
}

/**
 * @param {Room} room
 * @param {string[]} names
 */
function methodsOf(room, names) {
  const all = Object.assign({}, ...valid(room, "methods/").map(({ answer }) => answer.methods));
  return names.every((name) => all[name]) ? { methods: Object.fromEntries(names.map((name) => [name, all[name]])) } : null;
}

/**
 * @param {Room} room
 * @param {{ lab: { name: string, settings: Record<string, Value> }, state: { pinned: string[] } }} question
 */
function labOf(room, { lab, state }) {
  const { looks } = view.config.labs[lab.name];
  const asked = (/** @type {Record<string, Value>} */ settings) => Object.fromEntries(Object.entries(settings).filter(([name]) => !looks.includes(name)));
  const part = valid(room, "lab").find((one) => one.lab.name === lab.name && sameValue(asked(one.lab.settings), lab.settings) && sameValue(one.pinned, state.pinned));
  return part ? part.answer : null;
}
