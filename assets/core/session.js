// The session: changes of the state, and questions about it to the server: one in flight, the newest pending.

import { addressed, keepOrReload, keepState, noteAddress, writeAddress } from "./address.js";
import { byId, write } from "./dom.js";
import { Refused, RenderError } from "./errors.js";
import { emit, on } from "./events.js";
import { linkOf, sameValue } from "./link.js";
import { notice, noticeAll, showRefusal, showTrouble } from "./notices.js";
import { unpackPath } from "./path.js";
import { rest, Retry } from "./retry.js";
import { askServer } from "./server.js";
import { hasAnswer, setAnswer, setState, takeAnswer, view } from "./store.js";
import { hearVersion, isForeign, isOther, noteOrigin, outdated } from "./version.js";

/** @import { Answer, State } from "../types.js" */

/** @typedef {{ ask: number, state?: State, link?: string }} Question */
/** @typedef {{ link: string, restore: () => void }} Kept what the page took along when it was reloaded for a newer version */

const LIVE_EVERY = 150; // ms between questions while a stroke lasts …
const LIVE_SHARE = 8; // … and so many times what the last answer took: under load fewer are sent
const STALE_AFTER = 300; // ms without an answer before the old numbers are dimmed
const LOST_AFTER = 10000; // … before the request is given up and sent again
const COMPLETE_WITHIN = 3000; // ms for what an answer that is saved still lacks
const PATH_OF = /** @type {const} */ (["pixels", "network", "target", "output", "baseline", "baseline_seed", "drawing", "steps", "rule"]);
const OFFLINE = "You are offline. Your picture and settings are kept; reconnecting…";

const retry = new Retry("session");
/** @type {Partial<State> | null} */
let early = null; // what was changed before the first answer said which state the link means
/** @type {Kept | null} */
let kept = null;
let asked = 0; // number of the newest question
/** @type {Question | null} */
let waiting = null; // the question that waits for its answer
let pending = false; // the state changed while it was
let liveTimer = 0;
let sent = 0; // when the question in flight was asked
let took = 0; // ms until the last answer
let dimming = 0;
let given = false; // the state is being taken over from elsewhere, and its answer comes from there, too

/** @param {Kept | null} brought */
export function startSession(brought) {
  early = {};
  kept = brought;
  byId("stage").classList.add("opening");
  on("answer", () => {
    byId("stage").classList.remove("opening");
    askForExact(view.state.tab);
  });
  on("tab", askForExact);
  window.addEventListener("popstate", (event) => travel(event.state?.explorer));
  window.addEventListener("offline", () => showTrouble("network", OFFLINE));
  window.addEventListener("online", () => showTrouble("network", null));
  hearVersion(view.config.build);
  send({ link: kept ? kept.link : addressed() });
}

// ---- the state

/**
 * Change the state. Numbers are asked for later, by commit(); `live` changes are asked for now and then meanwhile.
 * @param {Partial<State>} patch
 */
export function update(patch, { live = false } = {}) {
  setState({ ...view.state, ...patch });
  if (early) Object.assign(early, patch);
  emit("state", patch);
  if (live) askLive();
}

/** A change is finished: put it into the address and ask for its numbers. */
export function commit() {
  // first: the browser is busy for a while with a new entry of its history; a slow stroke may be answered to its end already
  if (waiting || view.asked !== view.state) ask();
  showLink("pushState");
}

/**
 * A finished change of more than the controls say.
 * @param {Partial<State>} patch
 */
export function take(patch) {
  if (adoptAll(patch)) commit();
  else commitUnasked();
}

/**
 * The same where the address should have said so from the start: no new entry in the browser's history.
 * @param {Partial<State>} patch
 */
export function takeInPlace(patch) {
  if (adoptAll(patch)) ask();
  commitLooks();
}

/**
 * A state that comes from elsewhere, as in a class, with its answer if that is there: nothing is asked, and the browser's history
 * gets no entry. Call it again with the answer, or `askNow`.
 * @param {State} state
 * @param {Answer | null} answer
 */
export function follow(state, answer) {
  withdraw();
  given = true;
  try {
    adoptAll(state);
    if (answer) show(answer, { ask: answer.ask, state: view.state });
  } catch {
    ask(); // an answer that this page cannot show, as of another version
  } finally {
    given = false;
  }
  if (answer) askForExact(view.state.tab); // where it came without
}

/** Ask for the numbers of the state, unless they are there or on their way. */
export const askNow = () => void ((waiting || view.asked !== view.state) && ask());

/** What was asked is of no use any more. */
function withdraw() {
  clearTimeout(liveTimer);
  clearTimeout(dimming);
  liveTimer = 0;
  waiting = null;
  pending = false;
  showStale(false);
  retry.succeed();
}

/** What changed belongs to single methods: an entry in the browser's history, and no question from here. */
export const commitUnasked = () => showLink("pushState");

/** Only the looks changed: no question, and no new entry in the browser's history. */
export const commitLooks = () => showLink("replaceState");

/** @param {"pushState" | "replaceState"} how */
function showLink(how) {
  if (!early) writeAddress(link(), how); // else the link is still being read
}

/** The link of a state. */
export const link = (state = view.state) => linkOf(state, view.config);

/** The link of what is seen; until the first answer only the address knows. */
export const currentLink = () => (early ? addressed() : link());

/**
 * Back and Forward: take over the state of that entry.
 * @param {State | undefined} state
 */
function travel(state) {
  if (!state) return keepOrReload();
  noteAddress();
  if (adoptAll(state)) ask();
}

/**
 * Change what the controls show, too: they follow. Returns whether numbers depend on it.
 * @param {Partial<State>} patch
 */
function adoptAll(patch) {
  const all = /** @type {(keyof State)[]} */ (Object.keys(patch));
  const numbersMoved = all.some((key) => !view.config.looks.includes(key) && !sameValue(patch[key], view.state[key]));
  update(patch);
  emit("adopted");
  return numbersMoved;
}

// ---- questions

export const isAsking = () => Boolean(waiting);

/**
 * What needs the exact path is answered only where a tab shows it: the first look at such a tab asks for it.
 * @param {string} tab
 */
function askForExact(tab) {
  if (!given && hasAnswer() && lacksExact() && view.config.exact_tabs.includes(tab)) ask();
}

/** Whether the network has an exact path, or sentences about that tab, that the answer came without. */
const lacksExact = () => !view.answer.exact && !view.config.exact_tabs.every((tab) => tab in view.answer.narration);

/** Fetch what the shown answer lacks, before it is saved; where that takes too long, it is saved as it is. */
export async function completeAnswer() {
  const { answer, asked: state } = view;
  if (!lacksExact()) return;
  const question = { ask: answer.ask, state: { ...state, tab: view.config.exact_tabs[0] } };
  try {
    const whole = await askServer("explanation", "state", question, AbortSignal.timeout(COMPLETE_WITHIN));
    if (view.answer === answer) receive(whole);
  } catch {
    // nothing else is lost
  }
}

function ask() {
  clearTimeout(liveTimer);
  liveTimer = 0;
  if (waiting) pending = waiting.state !== view.state; // a new tab may have asked for this very state already
  else send({ state: view.state });
}

function askLive() {
  liveTimer ||= window.setTimeout(ask, Math.max(LIVE_EVERY, LIVE_SHARE * took)); // a quick stroke is over by then and asks but once
}

/** @param {Omit<Question, "ask">} what */
function send(what) {
  pending = false;
  waiting = { ask: ++asked, ...what };
  sent = performance.now();
  clearTimeout(dimming);
  dimming = window.setTimeout(showStale, STALE_AFTER, true);
  emit("asking"); // questions about methods step back
  pursue();
}

/** Ask until the answer can be shown; if the state moved on meanwhile, ask for the newest. */
async function pursue() {
  while (waiting) {
    const question = waiting;
    const failure = await attempt(question);
    if (waiting !== question) return; // it was withdrawn
    if (!failure) waiting = null;
    else if (!(await recover(failure))) return;
  }
  clearTimeout(dimming);
  showStale(false);
  retry.succeed();
  if (pending) send({ state: view.state });
}

/**
 * Ask once, and show the answer; returns why there is nothing to be seen of it.
 * @param {Question} question
 * @returns {Promise<Error | null>}
 */
async function attempt(question) {
  sent = performance.now(); // what went before was not this server's answer
  const { answer, refusal, failure } = await put(question);
  if (failure) return failure;
  if (waiting !== question) return null;
  took = performance.now() - sent;
  try {
    if (refusal) refuse(refusal);
    else if (answer) show(answer, question);
    return null;
  } catch (cause) {
    return renderFailure(answer ?? {}, cause);
  }
}

/**
 * The answer to an address without a link comes with the page; it serves once.
 * @param {Question} question
 */
function answerOfPage(question) {
  if (question.link !== "") return null;
  const text = takeAnswer();
  if (!text) return null;
  const answer = { ...JSON.parse(text), ask: question.ask };
  noteOrigin(answer, view.config.build);
  return answer;
}

/**
 * @param {Question} question
 * @returns {Promise<{ answer?: Answer, refusal?: Refused, failure?: Error }>}
 */
async function put(question) {
  const known = answerOfPage(question);
  if (known) return { answer: known };
  const stop = new AbortController();
  const lost = setTimeout(() => stop.abort(), LOST_AFTER);
  retry.begin();
  try {
    return { answer: await askServer("explanation", "state", question, stop.signal) };
  } catch (cause) {
    const failure = /** @type {Error} */ (cause);
    if (!(failure instanceof Refused)) return { failure };
    // a replica of the page's own version may well answer what another one refuses
    return isOther(failure.version) ? { failure: outdated() } : { refusal: failure };
  } finally {
    clearTimeout(lost);
  }
}

// ---- answers

/**
 * However often it is asked: what is shown stays.
 * @param {Refused} refusal
 */
function refuse(refusal) {
  if (!early) return showRefusal(refusal.message);
  open({ state: view.config.defaults });
  notice(refusal.message); // of the link: the numbers that come now do not settle it
  pending = true;
}

/**
 * Have an answer drawn; where that fails, what was shown before comes back.
 * @param {Answer} answer
 * @param {Question} question
 */
function show(answer, question) {
  if (early) open(answer);
  const { answer: shown, asked: shownState, path, step } = view;
  try {
    receive(answer, question.state ?? answer.state); // the page's own state may have moved on
  } catch (failure) {
    setAnswer({ answer: shown, asked: shownState, path, step });
    if (shown) emit("answer", shown);
    throw failure;
  }
  showRefusal(null);
}

/** A new path is shown finished; more of the same answer keeps its step. */
export function receive(/** @type {Answer} */ answer, /** @type {State} */ state = view.asked) {
  const path = unpackPath(answer, state);
  const same = view.path && PATH_OF.every((name) => sameValue(state[name], view.asked[name]));
  setAnswer({ answer, asked: state, path, step: same ? view.step : path.count });
  emit("answer", answer); // which shows its step, too
}

/**
 * An answer that cannot be drawn is as good as none. Another replica may be of the page's own version; where this one is,
 * the page itself is wrong, and the browser's console says how.
 * @param {object} answer
 * @param {unknown} cause
 */
function renderFailure(answer, cause) {
  pending = pending || !early; // it may be just this state that cannot be shown
  if (isForeign(answer)) return outdated();
  window.reportError(cause);
  return new RenderError("The answer could not be shown.");
}

/**
 * The first answer says which state the link was read as. Where that cannot be shown, the page is as unopened as before.
 * @param {{ state?: State, notices?: string[] }} answer
 */
function open(answer) {
  const [unread, opening] = [early, view.state];
  try {
    adopt(answer);
  } catch (failure) {
    early = unread;
    setState(opening);
    throw failure;
  }
}

/**
 * What was changed while waiting for the first answer is kept.
 * @param {{ state?: State, notices?: string[] }} answer
 */
function adopt({ state: read, notices }) {
  const changed = early ?? {};
  const state = /** @type {State} */ ({ ...read, ...changed });
  const known = notices || kept || Object.keys(changed).length; // a link that was refused is still there to be tried again
  if (Number(state.target) >= view.config.networks[state.network].classes.length) state.target = "predicted";
  setState(state);
  early = null;
  emit("state", view.state);
  emit("adopted");
  if (known) showLink("replaceState");
  else keepState(window.location.href);
  kept?.restore();
  kept = null;
  noticeAll(notices ?? []);
}

// ---- when no answer comes

/**
 * Wait, and ask then for the newest state; what is pending needs no question of its own. Returns whether anything is still to be asked.
 * @param {Error} failure
 */
async function recover(failure) {
  const question = waiting;
  await rest(retry.fail(failure), failure);
  if (waiting !== question) return false;
  if (!pending || early) return true;
  pending = false;
  waiting = { ask: ++asked, state: view.state };
  return true;
}

/**
 * Numbers that no longer belong to the picture are dimmed until the new ones come.
 * @param {boolean} stale
 */
function showStale(stale) {
  ["stage", "facts", "scores", "sees"].forEach((id) => byId(id).setAttribute("aria-busy", String(stale)));
  if (!stale || hasAnswer()) return;
  write(byId("sees"), "Opening…");
  for (const id of ["headline", "words"]) write(byId(id), "The page is opening: the first numbers are on their way.");
}
