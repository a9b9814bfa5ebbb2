// Two to six pictures side by side: each picture and its map, all maps on one scale, and one pixel marked in all of them.

import { element, smallButton, write } from "../core/dom.js";
import { on } from "../core/events.js";
import { place } from "../core/grid.js";
import { bound, chance, largest, number, signed } from "../core/numbers.js";
import { markedPixel } from "../core/store.js";
import { PixelMap } from "../draw/map.js";

/** @import { Picture } from "./pictures.js" */

/**
 * @param {Picture[]} pictures
 * @param {{ back: () => void, open: (picture: Picture) => void }} actions
 */
export function sideBySide(pictures, { back, open }) {
  const limit = Math.max(...pictures.map(({ map }) => largest(map)));
  const heading = element("h2", { class: "wall-title", tabindex: "-1", text: `${pictures.length} pictures side by side` });
  const said = element("p", { class: "wall-classes", translate: "no", text: `One scale for all maps: ±${bound(limit)}, in units of P.` });
  const note = element("p", { class: "quiet", text: "Each map explains the predicted class of its picture: + raised P, − lowered it." });
  const pixel = element("p", { class: "beside-pixel" });
  const columns = element("div", { class: "beside" });
  const root = element("div", { class: "wall" }, element("div", { class: "wall-head" }, element("div", { class: "wall-said" }, heading, said, " ", note, pixel), element("div", { class: "wall-tools beside-tools" }, smallButton("‹ Back to the wall", back))), columns);
  root.style.setProperty("--count", String(pictures.length));
  const all = pictures.map((picture, i) => column(columns, picture, i + 1, limit, open));
  const read = (/** @type {number | null} */ marked) => {
    write(pixel, marked === null ? "Point at a pixel to mark it in all." : `Marked: ${place(marked)}.`);
    all.forEach(({ say }) => say(marked));
  };
  const end = on("pixel", read);
  read(markedPixel());
  all.forEach(({ maps }) => maps.forEach((map) => map.mark(markedPixel())));
  const remove = () => {
    end();
    all.forEach(({ maps }) => maps.forEach((map) => map.remove()));
    root.remove();
  };
  return { root, heading, remove };
}

/**
 * @param {HTMLElement} host
 * @param {Picture} picture
 * @param {number} at from 1: one student may send the same class twice
 * @param {number} limit
 * @param {(picture: Picture) => void} open
 */
function column(host, picture, at, limit, open) {
  const title = `${picture.class} by ${picture.alias} (${at})`;
  const root = element("section", { class: "beside-one", "aria-label": title });
  const head = element("div", { class: "beside-head" }, element("h3", { text: picture.class }), element("span", { class: "quiet", text: picture.alias }), element("span", { translate: "no", text: `P = ${chance(picture.score)}`.replace("= <", "< ") }));
  root.append(head);
  const grey = new PixelMap(root, { name: "picture", title: `Picture: ${title}`, kind: "grey", bare: true });
  const map = new PixelMap(root, { name: "map", title: `Map: ${title}`, kind: "signed", bare: true, numbers: false });
  grey.set(picture.pixels, 1);
  map.set(picture.map, limit);
  const value = element("p", { class: "beside-value", translate: "no" });
  root.append(value, element("div", {}, smallButton("Open", () => open(picture))));
  host.append(root);
  const say = (/** @type {number | null} */ marked) => write(value, marked === null ? "" : `x = ${number(picture.pixels[marked])}, attribution ${signed(picture.map[marked])}`);
  return { maps: [grey, map], say };
}
