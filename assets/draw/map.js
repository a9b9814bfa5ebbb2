// One 8 × 8 map on the page: a canvas with title, scale and figures; all of them mark the same pixel.

import { pixelInView } from "../core/derived.js";
import { element, iconButton, keyOf, say, write } from "../core/dom.js";
import { emit, on } from "../core/events.js";
import { pixelAfter, place } from "../core/grid.js";
import { number, signed } from "../core/numbers.js";
import { choosePixel, markPixel, setHovered, view } from "../core/store.js";
import { paintMap } from "./paint.js";

/**
 * @typedef {import("./paint.js").PaintOptions & {
 *   name: string, title: string, bare?: boolean, onselect?: (map: PixelMap) => void,
 * }} MapOptions
 * `name` is for files; `bare`: without title and tools; `onselect`: a click or Enter.
 */

/** @type {PixelMap[]} */
export const maps = []; // all that are on the page

on("pixel", (marked) => maps.forEach((map) => map.mark(marked)));

export class PixelMap {
  /** @type {ArrayLike<number> | null} */
  values = null;
  last = new Float64Array(64).fill(NaN);
  limit = 0;
  sized = false;

  /**
   * @param {Element} host
   * @param {MapOptions} options
   */
  constructor(host, options) {
    this.options = options;
    const { title, kind, bare } = options;
    this.title = element("h3", { text: title });
    this.note = element("p", { class: "map-note" });
    this.canvas = element("canvas", { "aria-hidden": "true" });
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d", { alpha: false }));
    this.marker = element("div", { class: "marker", hidden: true });
    this.surface = element(
      "div",
      { class: "map-surface", tabindex: "0", role: "application", "aria-roledescription": "8 by 8 map", "aria-label": title, "aria-describedby": "map-help" },
      this.canvas,
      this.marker
    );
    this.scale = element("div", { class: `scale scale-${kind}`, translate: "no" });
    this.figures = element("p", { class: "map-figures" });
    this.root = element("div", { class: "map" }, bare ? null : this.#head(), this.note, this.surface, this.scale, this.figures);
    host.append(this.root);
    this.#listen();
    this.resizing = new ResizeObserver(() => this.#resize());
    this.resizing.observe(this.surface);
    maps.push(this);
  }

  #head() {
    const { title } = this.options;
    const tools = element(
      "div",
      { class: "map-tools" },
      iconButton("large", `Enlarge: ${title}`, () => emit("enlarge", this)),
      iconButton("save", `Save as PNG: ${title}`, () => emit("save-map", this))
    );
    return element("div", { class: "map-head" }, this.title, tools);
  }

  #listen() {
    const { surface } = this;
    surface.addEventListener("pointermove", (event) => {
      this.#hover();
      markPixel(this.#at(event));
    });
    surface.addEventListener("pointerleave", () => markPixel(null));
    surface.addEventListener("focus", () => {
      this.#hover();
      if (this.values && surface.matches(":focus-visible")) markPixel(pixelInView());
    });
    surface.addEventListener("blur", () => markPixel(null));
    surface.addEventListener("keydown", (event) => this.#key(event));
    surface.addEventListener("click", (event) => {
      const { onselect } = this.options;
      if (onselect) onselect(this);
      else choosePixel(this.#at(event) === view.chosen ? null : this.#at(event));
    });
  }

  /** The method whose map the pointer or the focus is on: what the readout tells of among all of them. */
  #hover() {
    const { name } = this.options;
    setHovered(view.config.methods[name] ? name : null);
  }

  remove() {
    this.resizing.disconnect();
    this.root.remove();
    maps.splice(maps.indexOf(this), 1);
  }

  /** @param {MouseEvent} event */
  #at(event) {
    const box = this.surface.getBoundingClientRect();
    const cell = (/** @type {number} */ offset, /** @type {number} */ size) => Math.min(7, Math.max(0, Math.floor((8 * offset) / size)));
    return 8 * cell(event.clientY - box.top, box.height) + cell(event.clientX - box.left, box.width);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || !this.values) return;
    const { kind, onselect } = this.options;
    const key = keyOf(event);
    const to = pixelAfter(pixelInView(), key);
    if (to !== null) {
      markPixel(to);
      choosePixel(to);
      say(`${place(to)}: ${kind === "grey" ? number(this.values[to]) : signed(this.values[to])}`);
    } else if (key === "Enter" && onselect) {
      onselect(this);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /**
   * @param {ArrayLike<number>} values in reading order
   * @param {number} limit of the colour scale: shared, or the map's own largest size
   */
  set(values, limit) {
    this.values = values;
    const rescaled = limit !== this.limit;
    if (rescaled) {
      this.limit = limit;
      this.#drawScale();
    }
    if (this.#differs() || rescaled) this.draw();
  }

  /** Whether the values are others than the last ones, which are noted: an array may be used again for each frame. */
  #differs() {
    const [values, last] = [/** @type {ArrayLike<number>} */ (this.values), this.last];
    let differs = false;
    for (let i = 0; i < 64; i++) {
      if (last[i] === values[i]) continue;
      last[i] = values[i];
      differs = true;
    }
    return differs;
  }

  describe(note = "", figures = "") {
    write(this.note, note);
    write(this.figures, figures);
  }

  /** @param {number | null} index */
  mark(index) {
    this.marker.hidden = index === null;
    if (index !== null) this.marker.style.transform = `translate(${100 * (index % 8)}%, ${100 * Math.floor(index / 8)}%)`;
  }

  #drawScale() {
    const limit = number(this.limit);
    const signedEnds = this.limit > 0 ? [`−${limit}`, `+${limit}`] : ["0", "0"];
    const [low, high] = this.options.kind === "grey" ? ["0", "1"] : signedEnds;
    this.scale.replaceChildren(element("span", { text: low }), element("i"), element("span", { text: high }));
  }

  /** The size is only asked for when it changes: asking in every frame would force the page to be laid out. */
  #resize() {
    const pixels = Math.round(this.surface.clientWidth * Math.min(3, window.devicePixelRatio || 1));
    if (pixels === this.canvas.width || !pixels) return;
    this.canvas.width = this.canvas.height = pixels;
    this.sized = true;
    this.draw();
  }

  draw() {
    if (this.sized && this.values) paintMap(this.context, this.canvas.width, this.values, this.limit, this.options);
  }
}
