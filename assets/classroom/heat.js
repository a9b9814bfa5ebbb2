// The marks of the class as a heat map: the share of the class that marked each pixel, with its number in the cell.

import { element, keyOf, write } from "../core/dom.js";
import { on } from "../core/events.js";
import { pixelAfter, place } from "../core/grid.js";
import { markPixel } from "../core/store.js";
import { percent } from "./tallies.js";

const LEAST = 0.12; // of the colour, for a pixel that anybody marked
const [MID, DEEP] = [0.6, 0.8]; // of the colour, from where on the other ink is read better: in the dark theme, in the light one

/**
 * @param {number[]} own pixels that the visitor marked
 * @returns {{ root: HTMLElement, set: (counts: number[], people: number) => void, remove: () => void }}
 */
export function heatMap(own = []) {
  let [counts, people, cursor] = [/** @type {number[]} */ ([]), 0, 0];
  const cells = Array.from({ length: 64 }, (_, i) => element("div", { role: "gridcell", class: own.includes(i) ? "heat-cell yours" : "heat-cell", tabindex: i ? "-1" : "0" }));
  const rows = Array.from({ length: 8 }, (_, row) => element("div", { role: "row", class: "heat-row" }, ...cells.slice(8 * row, 8 * row + 8)));
  const grid = element("div", { role: "grid", class: "heat-grid", "aria-label": "Share of the class that marked each pixel, in percent" }, ...rows);
  const [low, high] = [element("span", { text: "0 %" }), element("span")];
  const said = element("p", { class: "heat-said quiet", text: "Point at a pixel, or use the arrow keys." });
  const legend = element("p", { class: "heat-legend quiet" }, low, element("i", { "aria-hidden": "true" }), high, " of those who answered", own.length ? element("b", { text: "Outlined: yours." }) : null);
  const says = (/** @type {number} */ i) => `${place(i)}: ${counts[i] ?? 0} of ${people} (${percent(counts[i] ?? 0, people)})${own.includes(i) ? ", marked by you" : ""}`;
  const shown = (/** @type {number | null} */ i) => {
    cells.forEach((cell, at) => cell.classList.toggle("in-view", at === i));
    if (i !== null) write(said, says(i));
  };
  const stop = on("pixel", shown);
  const move = (/** @type {number} */ to) => {
    cells[cursor].tabIndex = -1;
    cursor = to;
    cells[to].tabIndex = 0;
  };
  cells.forEach((cell, i) => {
    cell.addEventListener("pointerenter", () => markPixel(i));
    cell.addEventListener("focus", () => {
      move(i);
      markPixel(i);
    });
    cell.addEventListener("blur", () => markPixel(null));
  });
  grid.addEventListener("pointerleave", () => markPixel(null));
  grid.addEventListener("keydown", (event) => {
    const to = event.altKey || event.ctrlKey || event.metaKey ? null : pixelAfter(cursor, keyOf(event));
    if (to === null) return;
    cells[to].focus();
    event.preventDefault();
    event.stopPropagation();
  });
  return {
    root: element("div", { class: "heat" }, grid, legend, said),
    set: (given, answered) => {
      [counts, people] = [given, answered];
      const peak = Math.max(1, ...counts);
      cells.forEach((cell, i) => {
        const share = counts[i] / peak;
        const depth = counts[i] ? LEAST + (1 - LEAST) * share : 0;
        cell.style.setProperty("--share", `${Math.round(100 * depth)}%`);
        cell.classList.toggle("mid", depth >= MID);
        cell.classList.toggle("deep", depth >= DEEP);
        const number = Math.round((100 * (counts[i] ?? 0)) / Math.max(1, people));
        write(cell, counts[i] ? String(number) : "");
        cell.setAttribute("aria-label", `${place(i)}: ${number} percent, ${says(i).slice(place(i).length + 2)}`); // what is seen is a word of the name
      });
      write(high, percent(Math.max(...counts), people));
    },
    remove: stop,
  };
}
