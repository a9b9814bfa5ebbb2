// The painting grid: a real ARIA grid of 64 cells, painted by mouse, pen, touch or keyboard.

import { onLattice, pictureName } from "../core/derived.js";
import { byId, element, inputById, isTyping, keyOf, write } from "../core/dom.js";
import { emit, on } from "../core/events.js";
import { pixelAfter, place } from "../core/grid.js";
import { commit, update } from "../core/session.js";
import { markPixel, view } from "../core/store.js";
import { grey } from "../draw/colours.js";
import { showPreset, startPresets } from "./presets.js";
import { remember, replacePicture, startUndo } from "./undo.js";

/** @import { Pixels } from "../types.js" */

/** @typedef {{ row: number, column: number }} Place in cells, not bounded to the grid */

/** @type {HTMLElement[]} */
const cells = [];
/** @type {Pixels} */
const shown = []; // the value that each cell shows, to touch only what changed
/** @type {{ before: Pixels, pointer: number, kind: string, last: Place } | null} */
let stroke = null; // the one that is going on, by which pointer of which kind
let brush = 1;
let erasing = false;
/** @type {number | null} */
let marked = null; // the cell that shows the marked pixel
let cursor = 0; // the cell that Tab reaches

const pixels = () => view.state.pixels;

/** Whether a stroke is going on. */
export const isPainting = () => stroke !== null;

export function startPainting() {
  buildGrid();
  startPresets();
  startUndo(() => stroke !== null);
  byId("brush").addEventListener("input", (event) => setBrush(Number(/** @type {HTMLInputElement} */ (event.target).value) / 100));
  byId("paint-eraser").addEventListener("click", () => setEraser(!erasing));
  byId("paint-clear").addEventListener("click", () => replacePicture(pixels().map(() => 0)));
  byId("paint-invert").addEventListener("click", () => replacePicture(pixels().map((value) => onLattice(1 - value))));
  takeFreshBrush();
  on("state", show);
  on("pixel", mark);
}

function buildGrid() {
  const grid = byId("paint-grid");
  grid.setAttribute("role", "grid");
  grid.setAttribute("aria-label", "Painting grid: arrow keys move, space paints with the brush, 0 to 9 paint 0.0 to 0.9");
  for (let row = 0; row < 8; row++) {
    const line = element("div", { role: "row", class: "paint-row" });
    for (let column = 0; column < 8; column++) {
      const cell = element("div", { role: "gridcell", class: "paint-cell", tabindex: row + column ? "-1" : "0" });
      cells.push(cell);
      line.append(cell);
    }
    grid.append(line);
  }
  grid.addEventListener("pointerdown", strokeStart);
  grid.addEventListener("pointermove", strokeOrHover);
  grid.addEventListener("pointerup", strokeEnd);
  grid.addEventListener("pointercancel", strokeEnd);
  grid.addEventListener("lostpointercapture", strokeEnd);
  window.addEventListener("blur", endStroke);
  grid.addEventListener("pointerleave", () => stroke || markPixel(null));
  grid.addEventListener("contextmenu", (event) => event.preventDefault());
  grid.addEventListener("keydown", keys);
  grid.addEventListener("focusin", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const cell = cells.indexOf(target);
    if (cell >= 0 && target.matches(":focus-visible")) markPixel(cell);
  });
  grid.addEventListener("focusout", () => markPixel(null));
}

// ---- strokes

/**
 * Where a pointer is.
 * @param {PointerEvent} event
 * @returns {Place}
 */
function placeOf(event) {
  const box = byId("paint-grid").getBoundingClientRect();
  return { row: (8 * (event.clientY - box.top)) / box.height, column: (8 * (event.clientX - box.left)) / box.width };
}

/**
 * The cell at a place; null beside the grid.
 * @param {Place} place
 */
function cellAt({ row, column }) {
  const r = Math.floor(row);
  const c = Math.floor(column);
  return r >= 0 && r < 8 && c >= 0 && c < 8 ? 8 * r + c : null;
}

/** @param {PointerEvent} event */
function strokeStart(event) {
  if (![0, 2, 5].includes(event.button) || (stroke && !givesWay(event))) return;
  event.preventDefault();
  const { activeElement } = document;
  if (activeElement instanceof HTMLElement && isTyping(activeElement)) activeElement.blur(); // as any click beside a field does
  byId("paint-grid").setPointerCapture(event.pointerId);
  const last = placeOf(event);
  stroke = { before: pixels().slice(), pointer: event.pointerId, kind: event.pointerType, last };
  const cell = cellAt(last);
  if (cell !== null) moveCursor(cell); // not the focus: after a stroke, space is to play
  paintCells([cell], inkOf(event));
}

/**
 * Whether the stroke that is going on makes room for a pointer that comes down: a second finger does not join in.
 * @param {PointerEvent} event
 */
function givesWay({ pointerType, isPrimary }) {
  if (pointerType === "pen" && stroke?.kind === "touch") takeBack(stroke.before); // that was the palm
  else if (isPrimary && pointerType === stroke?.kind) endStroke(); // the first of its kind: the end of the other went unseen
  return !stroke;
}

/** @param {Pixels} before */
function takeBack(before) {
  update({ pixels: before }, { live: true });
  stroke = null;
}

/** @param {PointerEvent} event */
function strokeOrHover(event) {
  if (stroke && event.pointerId === stroke.pointer) {
    if (event.buttons) return strokeMove(stroke, event);
    endStroke(); // released where no event tells of it
  }
  if (!stroke) markPixel(cellAt(placeOf(event)));
}

/**
 * @param {{ last: Place }} moved
 * @param {PointerEvent} event
 */
function strokeMove(moved, event) {
  const events = event.getCoalescedEvents?.() ?? [];
  (events.length ? events : [event]).forEach((move) => {
    const to = placeOf(move);
    paintCells(between(moved.last, to), inkOf(event));
    moved.last = to;
  });
  markPixel(cellAt(moved.last));
}

/** @param {PointerEvent} event */
function strokeEnd(event) {
  if (stroke && event.pointerId === stroke.pointer) endStroke();
}

function endStroke() {
  if (!stroke) return;
  const { before } = stroke;
  stroke = null;
  remember({ pixels: before });
  commit();
  emit("painted", before);
}

/**
 * The pen's eraser end and the right mouse button erase.
 * @param {PointerEvent} event
 */
const inkOf = (event) => (erasing || event.buttons & 2 || event.buttons & 32 ? 0 : brush);

/**
 * Every cell that the straight line between two places passes: a fast stroke leaves no gaps.
 * @param {Place} from
 * @param {Place} to
 */
function between(from, to) {
  const parts = Math.max(1, Math.ceil(8 * Math.max(Math.abs(to.row - from.row), Math.abs(to.column - from.column))));
  const passed = new Set();
  for (let i = 0; i <= parts; i++) {
    const share = i / parts;
    passed.add(cellAt({ row: from.row + share * (to.row - from.row), column: from.column + share * (to.column - from.column) }));
  }
  return [...passed];
}

/**
 * @param {(number | null)[]} indices
 * @param {number} ink
 */
function paintCells(indices, ink) {
  const next = pixels().slice();
  const value = onLattice(ink);
  const changed = indices.filter((i) => i !== null && next[i] !== value);
  if (!changed.length) return;
  changed.forEach((i) => (next[/** @type {number} */ (i)] = value));
  update({ pixels: next }, { live: true });
}

// ---- keyboard

/** @param {KeyboardEvent} event */
function keys(event) {
  const key = keyOf(event);
  if (event.altKey || event.metaKey || (event.ctrlKey && !["Home", "End"].includes(key))) return;
  const far = /** @type {Record<string, number | null>} */ ({ Home: event.ctrlKey ? 0 : null, End: event.ctrlKey ? 63 : null, PageUp: cursor % 8, PageDown: 56 + (cursor % 8) });
  const to = far[key] ?? pixelAfter(cursor, key);
  if (to !== null) {
    moveCursor(to);
    cells[cursor].focus();
    markPixel(cursor);
  } else if (key === " " || key === "Enter") paintOne(erasing ? 0 : brush);
  else if (key === "Delete" || key === "Backspace") paintOne(0);
  else if (/^[0-9]$/.test(key)) paintOne(Number(key) / 10);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/** @param {number} value */
function paintOne(value) {
  const before = pixels();
  const next = before.slice();
  next[cursor] = onLattice(value);
  replacePicture(next);
  emit("painted", before);
}

/** @param {number} cell */
function moveCursor(cell) {
  cells[cursor].tabIndex = -1;
  cursor = cell;
  cells[cursor].tabIndex = 0;
}

// ---- brush

export function takeFreshBrush() {
  inputById("brush").value = "100";
  setBrush(1);
  setEraser(false);
}

/** @param {number} value */
function setBrush(value) {
  brush = value;
  const swatch = byId("brush-shown");
  write(swatch, value.toFixed(2));
  swatch.style.setProperty("--brush", grey(value));
  if (erasing) setEraser(false);
}

/** @param {boolean} on */
function setEraser(on) {
  erasing = on;
  byId("paint-eraser").setAttribute("aria-pressed", String(on));
}

// ---- showing

/** @param {number | null} index */
function mark(index) {
  if (marked !== null) cells[marked].classList.remove("marked");
  if (index !== null) cells[index].classList.add("marked");
  marked = index;
}

function show() {
  const picture = pixels();
  cells.forEach((cell, i) => {
    if (shown[i] === picture[i]) return;
    shown[i] = picture[i];
    cell.style.backgroundColor = grey(picture[i]);
    cell.setAttribute("aria-label", `${place(i)}: ${picture[i].toFixed(2)}`);
  });
  const name = pictureName(picture);
  write(byId("picture-name"), name.title.split(" (")[0]);
  showPreset(name);
}
