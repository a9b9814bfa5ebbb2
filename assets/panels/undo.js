// Changes that can be undone and redone: of the picture, and what changed along with it.

import { byId, isTyping, keyOf, smallButton } from "../core/dom.js";
import { on } from "../core/events.js";
import { sameValue } from "../core/link.js";
import { notice } from "../core/notices.js";
import { commit, take, update } from "../core/session.js";
import { view } from "../core/store.js";

/** @import { Pixels, State } from "../types.js" */

/** @typedef {Partial<State> & Pick<State, "pixels">} Change what fields of the state were before, or are to be */

const MOST_UNDONE = 200;

/** @type {Change[]} */
let done = []; // what undo goes back to, the newest last
/** @type {Change[]} */
let undone = [];
let isPainting = () => false;
let withdraw = () => {}; // what is offered in a notice, once it is no longer the newest change

/** @param {() => boolean} painting whether a stroke is going on, during which nothing is undone */
export function startUndo(painting) {
  isPainting = painting;
  byId("paint-undo").addEventListener("click", undo);
  byId("paint-redo").addEventListener("click", redo);
  document.addEventListener("keydown", keys);
  on("state", (patch) => {
    if (patch.pixels || patch.network) withdraw();
    showUsable();
  });
}

/** @param {Pixels} next */
export const replacePicture = (next) => change({ pixels: next });

/**
 * Change the picture and more in one step of undo, and say so; nothing where that changes nothing.
 * @param {Change} patch
 * @param {string} text
 */
export function changeWithNotice(patch, text) {
  if (sameValue(presentOf(patch), patch)) return;
  change(patch);
  const button = smallButton("Undo", undo);
  const remove = notice(text, { button, ondismiss: () => (withdraw = () => {}) });
  withdraw = () => {
    withdraw = () => {};
    remove();
  };
}

/** @param {Change} patch */
function change(patch) {
  const before = presentOf(patch);
  apply(patch);
  remember(before);
}

/**
 * What the state holds in the fields of a change.
 * @param {Change} patch
 */
const presentOf = (patch) => /** @type {Change} */ (Object.fromEntries(Object.keys(patch).map((key) => [key, view.state[/** @type {keyof State} */ (key)]])));

/** @param {Change} patch */
function apply(patch) {
  if (Object.keys(patch).length > 1) return take(patch);
  update(patch);
  commit();
}

/**
 * Something was changed.
 * @param {Change} before what it was
 */
export function remember(before) {
  if (sameValue(before, presentOf(before))) return;
  done.push(before);
  if (done.length > MOST_UNDONE) done.shift();
  undone = [];
  showUsable();
}

const undo = () => travel(done, undone);

const redo = () => travel(undone, done);

/**
 * @param {Change[]} from
 * @param {Change[]} to
 */
function travel(from, to) {
  const patch = isPainting() ? undefined : from.pop();
  if (!patch) return;
  to.push(presentOf(patch));
  apply(patch);
}

/** Undo and redo outlast the reload that a newer version asks for. */
export const paintingHistory = () => ({ done, undone });

/** @param {{ done?: unknown, undone?: unknown } | null} kept what was stored: anything may be in it */
export function adoptPaintingHistory(kept) {
  const [before, after] = [kept?.done, kept?.undone].map((changes) => (Array.isArray(changes) ? changes.map(known).filter(isChange) : []));
  done = [...before, ...done].slice(-MOST_UNDONE); // what was painted since comes after it
  if (done.length === before.length) undone = after;
  showUsable();
}

/**
 * Earlier versions kept pictures alone.
 * @param {unknown} kept
 */
const known = (kept) => (Array.isArray(kept) ? { pixels: kept } : kept);

/**
 * @param {any} kept
 * @returns {kept is Change}
 */
function isChange(kept) {
  const { networks, tabs, defaults } = view.config;
  const { pixels, network, tab } = { ...defaults, ...kept };
  const isPicture = Array.isArray(kept?.pixels) && pixels.length === 64 && pixels.every((/** @type {any} */ value) => value >= 0 && value <= 1);
  return isPicture && Object.keys(kept).every((key) => Object.hasOwn(defaults, key)) && Object.hasOwn(networks, network) && tabs.includes(tab);
}

/** @param {KeyboardEvent} event */
function keys(event) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || isTyping(/** @type {Element} */ (event.target))) return;
  const key = keyOf(event).toLowerCase();
  if (key === "z" && !event.shiftKey) undo();
  else if (key === "y" || (key === "z" && event.shiftKey)) redo();
  else return;
  event.preventDefault();
}

/** Not the disabled attribute: a disabled button would drop the keyboard focus that just pressed it. */
function showUsable() {
  byId("paint-undo").setAttribute("aria-disabled", String(!done.length));
  byId("paint-redo").setAttribute("aria-disabled", String(!undone.length));
}
