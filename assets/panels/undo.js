// Changes of the picture that can be undone and redone.

import { byId, isTyping, keyOf } from "../core/dom.js";
import { on } from "../core/events.js";
import { commit, update } from "../core/session.js";
import { view } from "../core/store.js";

/** @import { Pixels } from "../types.js" */

const MOST_UNDONE = 200;

/** @type {Pixels[]} */
let done = []; // what undo goes back to, the newest last
/** @type {Pixels[]} */
let undone = [];
let isPainting = () => false;

/** @param {() => boolean} painting whether a stroke is going on, during which nothing is undone */
export function startUndo(painting) {
  isPainting = painting;
  byId("paint-undo").addEventListener("click", undo);
  byId("paint-redo").addEventListener("click", redo);
  document.addEventListener("keydown", keys);
  on("state", showUsable);
}

/** @param {Pixels} next */
export function replacePicture(next) {
  const before = view.state.pixels.slice();
  update({ pixels: next });
  remember(before);
  commit();
}

/**
 * The picture was changed.
 * @param {Pixels} before what it was
 */
export function remember(before) {
  if (before.every((value, i) => value === view.state.pixels[i])) return;
  done.push(before);
  if (done.length > MOST_UNDONE) done.shift();
  undone = [];
  showUsable();
}

const undo = () => travel(done, undone);

const redo = () => travel(undone, done);

/**
 * @param {Pixels[]} from
 * @param {Pixels[]} to
 */
function travel(from, to) {
  const picture = isPainting() ? undefined : from.pop();
  if (!picture) return;
  to.push(view.state.pixels.slice());
  update({ pixels: picture });
  commit();
}

/** Undo and redo outlast the reload that a newer version asks for. */
export const paintingHistory = () => ({ done, undone });

/** @param {{ done?: unknown, undone?: unknown } | null} kept what was stored: anything may be in it */
export function adoptPaintingHistory(kept) {
  const [before, after] = [kept?.done, kept?.undone].map((pictures) => (Array.isArray(pictures) ? pictures.filter(isPicture) : []));
  done = [...before, ...done].slice(-MOST_UNDONE); // what was painted since comes after it
  if (done.length === before.length) undone = after;
  showUsable();
}

/**
 * @param {unknown} picture
 * @returns {picture is Pixels}
 */
const isPicture = (picture) => Array.isArray(picture) && picture.length === 64 && picture.every((value) => value >= 0 && value <= 1);

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
