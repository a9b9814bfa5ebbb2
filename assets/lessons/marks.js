// "Where do you expect the attribution?": a small copy of the picture in which the visitor marks pixels, and how far the map agrees.

import { element, keyOf } from "../core/dom.js";
import { pixelAfter, place } from "../core/grid.js";
import { grey } from "../draw/colours.js";

/** @import { Pixels } from "../types.js" */

/**
 * The pixels of a map with the largest sizes.
 * @param {number[]} map
 * @param {number} count
 */
export function strongest(map, count) {
  const order = map.map((_, i) => i).sort((a, b) => Math.abs(map[b]) - Math.abs(map[a]) || a - b);
  return order.slice(0, count).filter((i) => map[i] !== 0);
}

/**
 * How many of the marked pixels are among the strongest, in words.
 * @param {number[]} marked
 * @param {number[]} top
 */
export function overlap(marked, top) {
  const both = marked.filter((i) => top.includes(i)).length;
  const chance = (marked.length * top.length) / 64;
  return `${both} of your ${marked.length} pixels ${both === 1 ? "is" : "are"} among the ${top.length} strongest of the map. By chance it would be about ${chance < 1 ? chance.toFixed(1) : Math.round(chance)}.`;
}

/**
 * The grid to mark in; `onchange` gets what is marked.
 * @param {Pixels} picture
 * @param {number} most
 * @param {(marked: number[]) => void} onchange
 */
export function markGrid(picture, most, onchange) {
  /** @type {Set<number>} */
  const marked = new Set();
  let cursor = 0;
  /** @type {boolean | null} */
  let drawing = null; // what a pointer that is down does to the cells it passes
  const { root, cells } = grid(picture, `Where do you expect the attribution? Arrow keys move, space marks a pixel, ${most} at most`);
  root.classList.add("to-mark");
  cells.forEach((cell, i) => {
    cell.tabIndex = i ? -1 : 0;
    cell.setAttribute("aria-selected", "false");
  });
  /**
   * @param {number} i
   * @param {boolean} on
   */
  const set = (i, on) => {
    if (marked.has(i) === on || (on && marked.size >= most)) return;
    if (on) marked.add(i);
    else marked.delete(i);
    cells[i].classList.toggle("yours", on);
    cells[i].setAttribute("aria-selected", String(on));
    onchange([...marked]);
  };
  const move = (/** @type {number} */ to) => {
    cells[cursor].tabIndex = -1;
    cursor = to;
    cells[cursor].tabIndex = 0;
  };
  const at = (/** @type {PointerEvent} */ { clientX, clientY }) => {
    const box = root.getBoundingClientRect();
    const [row, column] = [Math.floor((8 * (clientY - box.top)) / box.height), Math.floor((8 * (clientX - box.left)) / box.width)];
    return row >= 0 && row < 8 && column >= 0 && column < 8 ? 8 * row + column : null;
  };
  root.addEventListener("pointerdown", (event) => {
    const cell = at(event);
    if (cell === null || event.button) return;
    event.preventDefault();
    root.setPointerCapture(event.pointerId);
    drawing = !marked.has(cell);
    move(cell);
    set(cell, drawing);
  });
  root.addEventListener("pointermove", (event) => {
    const cell = at(event);
    if (drawing !== null && cell !== null) set(cell, drawing);
  });
  const end = () => (drawing = null);
  root.addEventListener("pointerup", end);
  root.addEventListener("pointercancel", end);
  root.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const key = keyOf(event);
    const to = pixelAfter(cursor, key);
    if (to !== null) {
      move(to);
      cells[cursor].focus();
    } else if (key === " " || key === "Enter") set(cursor, !marked.has(cursor));
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  return root;
}

/**
 * The same grid afterwards: what was marked, and where the map is strongest.
 * @param {Pixels} picture
 * @param {number[]} marked
 * @param {number[]} top
 */
export function markedGrid(picture, marked, top) {
  const { root, cells } = grid(picture, "Your marks and the strongest pixels of the map");
  cells.forEach((cell, i) => {
    const [yours, strong] = [marked.includes(i), top.includes(i)];
    cell.classList.toggle("yours", yours);
    cell.classList.toggle("strong", strong);
    if (yours || strong) cell.setAttribute("aria-label", `${place(i)}: ${[yours ? "marked" : "", strong ? "among the strongest" : ""].filter(Boolean).join(", ")}`);
  });
  return root;
}

/**
 * @param {Pixels} picture
 * @param {string} label
 */
function grid(picture, label) {
  const cells = picture.map((value, i) => element("div", { role: "gridcell", class: "mark-cell", style: `background:${grey(value)}`, "aria-label": `${place(i)}: ${value.toFixed(2)}` }));
  const rows = Array.from({ length: 8 }, (_, row) => element("div", { role: "row", class: "mark-row" }, ...cells.slice(8 * row, 8 * row + 8)));
  return { root: element("div", { role: "grid", class: "mark-grid", "aria-label": label, "aria-multiselectable": "true" }, ...rows), cells };
}
