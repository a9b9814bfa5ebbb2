// One 8 × 8 map on the page: a canvas with its title, figure, caption and colour scale; all of them mark the same pixel.

import { pixelInView } from "../core/derived.js";
import { element, iconButton, keyOf, say, smallButton, term, write } from "../core/dom.js";
import { emit, on } from "../core/events.js";
import { pixelAfter, place } from "../core/grid.js";
import { bound, grouped, largest, number, signed } from "../core/numbers.js";
import { choosePixel, markPixel, setHovered, view } from "../core/store.js";
import { paintMap } from "./paint.js";

/**
 * @typedef {import("./paint.js").PaintOptions & {
 *   name: string, title: string, bare?: boolean, plain?: boolean, magnifies?: boolean, term?: [string, string], onselect?: (map: PixelMap) => void,
 * }} MapOptions
 * `name` is for files; `bare`: without title and tools; `plain`: without tools; `term`: name and text of one that
 * belongs to the title; `magnifies`: too faint at its scale, it can be
 * magnified; `onselect`: a click or Enter.
 */

export const FAINT = 0.04; // of the limit: below this no sign is drawn and the colour is hardly seen, so the map counts as blank

const NOTHING = new Float64Array(64);

/** @type {PixelMap[]} */
export const maps = []; // all that are on the page

on("pixel", (marked) => maps.forEach((map) => map.mark(marked)));

export class PixelMap {
  /** @type {ArrayLike<number> | null} */
  values = null;
  last = new Float64Array(64).fill(NaN);
  peak = 0; // the largest absolute value
  limit = 0; // of the scale that it was given
  magnified = 1; // by how much it is magnified beyond that
  sized = false;
  /** @type {ReadonlySet<number>} */
  hatched = new Set(); // pixels that are drawn so
  onmagnify = () => {}; // after a press on its button

  /**
   * @param {Element} host
   * @param {MapOptions} options
   */
  constructor(host, options) {
    this.options = options;
    const { title, kind, bare, magnifies } = options;
    this.title = element("h3", { text: title });
    this.note = element("span", { class: "map-note" });
    this.canvas = element("canvas", { "aria-hidden": "true" });
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d", { alpha: false }));
    this.marker = element("div", { class: "marker", hidden: true });
    this.badge = element("span", { class: "map-badge", hidden: true, translate: "no" });
    this.surface = element(
      "div",
      { class: "map-surface", tabindex: "0", role: "application", "aria-roledescription": "8 by 8 map", "aria-label": title, "aria-describedby": "map-help" },
      this.canvas,
      this.marker
    );
    this.figure = element("p", { class: "map-figure", translate: "no" });
    this.caption = element("p", { class: "map-caption" });
    this.scale = element("div", { class: `scale scale-${kind}`, translate: "no" });
    this.magnifier = magnifies ? smallButton("Magnify", () => this.#toggleMagnified()) : null;
    this.magnifier?.classList.add("needless");
    this.foot = element("div", { class: "map-foot" }, kind === "signed" ? this.scale : null, this.magnifier);
    this.root = element("div", { class: "map" }, bare ? null : this.#head(), this.surface, this.badge, this.figure, this.caption, this.foot);
    host.append(this.root);
    this.#listen();
    this.resizing = new ResizeObserver(() => this.#resize());
    this.resizing.observe(this.surface);
    maps.push(this);
  }

  #head() {
    const { title, plain, term: named } = this.options;
    return element("div", { class: "map-head" }, this.title, named && term(...named), this.note, plain ? null : iconButton("large", `Enlarge: ${title}`, () => emit("enlarge", this)));
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
      say(`${place(to)}: ${kind === "grey" ? number(this.values[to]) : signed(this.values[to])}${this.hatched.has(to) ? ", hatched" : ""}`);
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
    const shown = this.shownLimit();
    const differs = this.#differs();
    if (differs) this.peak = largest(this.last);
    this.limit = limit;
    this.#showMagnifier();
    const rescaled = shown !== this.shownLimit();
    if (rescaled) this.#drawScale();
    if (differs || rescaled) this.draw();
  }

  /** Whether nothing of it can be seen at the scale that it was given, though it is not 0. */
  get faint() {
    return this.limit > 0 && this.peak > 0 && this.peak < FAINT * this.limit;
  }

  /** By how much it can be magnified: a round number. */
  get #factor() {
    const most = this.limit / this.peak;
    const power = 10 ** Math.floor(Math.log10(most));
    return ([5, 2].find((step) => step * power <= most) ?? 1) * power;
  }

  /** The limit of the scale that is seen. */
  shownLimit() {
    return this.limit / this.magnified;
  }

  #toggleMagnified() {
    this.magnify(this.magnified === 1);
    this.onmagnify();
  }

  /** @param {boolean} on */
  magnify(on) {
    const factor = on && this.faint ? this.#factor : 1;
    if (factor === this.magnified) return;
    this.magnified = factor;
    this.#showMagnifier();
    this.#drawScale();
    this.draw();
  }

  #showMagnifier() {
    if (!this.magnifier) return;
    const { faint } = this;
    if (this.magnified !== 1) this.magnified = faint ? this.#factor : 1;
    const on = this.magnified !== 1;
    const factor = `×${grouped(on ? this.magnified : faint ? this.#factor : 1)}`;
    write(this.magnifier, on ? "Path’s scale" : `Magnify ${factor}`);
    this.magnifier.classList.toggle("needless", !faint);
    this.badge.hidden = !on;
    write(this.badge, factor);
    this.root.classList.toggle("magnified", on);
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

  /** @param {Iterable<number>} pixels such as those that are 0 whatever the network does */
  hatch(pixels) {
    this.hatched = new Set(pixels);
    this.draw();
  }

  /**
   * @param {{ note?: string, figure?: string, caption?: string }} texts beside its title, large below it, small below that
   */
  describe({ note = "", figure = "", caption = "" }) {
    write(this.note, note);
    write(this.figure, figure);
    write(this.caption, caption);
  }

  /**
   * Its size, and what its colours mean where they can be seen.
   * @param {string} meaning
   * @param {string} [note]
   */
  describeSize(meaning, note) {
    const caption = this.magnified !== 1 ? "magnified to be seen" : this.faint ? "too faint at this scale" : meaning;
    this.describe({ note, figure: this.peak ? `at most ${bound(this.peak)}` : "0 everywhere", caption });
  }

  /** Nothing is known any more. */
  clear() {
    this.set(NOTHING, 0);
    this.describe({});
  }

  /** @param {number | null} index */
  mark(index) {
    this.marker.hidden = index === null;
    if (index !== null) this.marker.style.transform = `translate(${100 * (index % 8)}%, ${100 * Math.floor(index / 8)}%)`;
  }

  #drawScale() {
    if (!this.scale.firstChild) this.scale.append(element("i"), element("span"));
    write(/** @type {Element} */ (this.scale.lastChild), this.limit > 0 ? `±${bound(this.shownLimit())}` : "0");
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
    if (this.sized && this.values) paintMap(this.context, this.canvas.width, this.values, this.shownLimit(), { ...this.options, hatched: this.hatched, lines: true });
  }
}
