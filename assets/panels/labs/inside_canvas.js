// Canvases of the lab inside: one that keeps its size, the units of a layer as cells, and the strip of switches.

import { element, keyOf, say } from "../../core/dom.js";
import { ink } from "../../draw/colours.js";

const CELL = 48; // px of a unit at most …
const LEAST = 24; // … and at least
const ACROSS = [6, 4]; // feature maps in a row of a wide layer, and of a narrow one
const NARROW = 380; // px
const GAP = 8; // px between feature maps
const ROW = 20; // px of a layer in the strip
const FONT = "12px system-ui, sans-serif";
const SIDE = 8; // px left and right of the strip, as a slider's thumb has

/** A canvas that is as wide as its host; `measure` gives its height for a width, `paint` draws in CSS pixels. */
class Surface {
  width = 0;

  /**
   * @param {string} label
   * @param {Record<string, any>} attributes
   */
  constructor(label, attributes = {}) {
    this.canvas = element("canvas", { class: "units-canvas", "aria-label": label, ...attributes });
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    new ResizeObserver(() => this.resize()).observe(this.canvas);
  }

  /** @param {number} _ px wide */
  measure(_) {
    return 0;
  }

  paint() {}

  resize(force = false) {
    const width = this.canvas.clientWidth;
    if (!width || (width === this.width && !force)) return;
    this.width = width;
    const height = this.measure(width);
    const dense = Math.min(3, window.devicePixelRatio || 1);
    this.canvas.style.height = `${height}px`;
    this.canvas.width = Math.round(width * dense);
    this.canvas.height = Math.round(height * dense);
    this.context.scale(dense, dense);
    this.draw();
  }

  draw() {
    if (!this.width) return;
    this.context.clearRect(0, 0, this.width, this.canvas.height);
    this.paint();
  }
}

/**
 * @typedef {{ on: Uint8Array, strength: (unit: number) => number, switching: Uint8Array, fresh: Uint8Array, marked: number }} Units
 * `strength`: from 0 to 1; `fresh`: those that switched just now; `marked`: −1 for none.
 */

/** The units of one layer: the larger its square, the more a unit passes on; those that never switch are grey. */
export class Cells extends Surface {
  /** @type {Units | null} */
  units = null;

  /**
   * @param {string} title
   * @param {number[]} shape
   * @param {{ mark: (unit: number | null) => void, choose: (unit: number) => void, tell: (unit: number) => string }} does
   */
  constructor(title, shape, { mark, choose, tell }) {
    super(title, { tabindex: 0, role: "application", "aria-roledescription": "units of a layer" });
    this.shape = shape;
    this.count = shape.reduce((product, size) => product * size, 1);
    this.maps = shape.length === 3;
    const { canvas } = this;
    canvas.addEventListener("pointermove", (event) => mark(this.#at(event)));
    canvas.addEventListener("pointerleave", () => mark(null));
    canvas.addEventListener("click", (event) => {
      const unit = this.#at(event);
      if (unit !== null) choose(unit);
    });
    canvas.addEventListener("focus", () => canvas.matches(":focus-visible") && mark(Math.max(0, this.units?.marked ?? 0)));
    canvas.addEventListener("blur", () => mark(null));
    canvas.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const key = keyOf(event);
      const from = Math.max(0, this.units?.marked ?? 0);
      const to = { ArrowLeft: from - 1, ArrowRight: from + 1, ArrowUp: from - this.across, ArrowDown: from + this.across, Home: 0, End: this.count - 1, Enter: from, " ": from }[key];
      if (to === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      const unit = Math.max(0, Math.min(this.count - 1, to));
      choose(unit);
      mark(unit);
      say(tell(unit));
    });
  }

  /** @param {number} width */
  measure(width) {
    if (this.maps) {
      const [maps, rows, columns] = this.shape;
      this.across = columns;
      this.inRow = ACROSS[Number(width < NARROW)];
      this.cell = Math.max(4, Math.floor((width - (this.inRow - 1) * GAP) / (this.inRow * columns)));
      return Math.ceil(maps / this.inRow) * (rows * this.cell + GAP) - GAP + 1;
    }
    this.across = Math.min(this.count, [16, 12].find((across) => width >= across * LEAST) ?? 8);
    this.cell = Math.min(CELL, Math.floor(width / this.across));
    return Math.ceil(this.count / this.across) * this.cell;
  }

  across = 1;
  inRow = 1;
  cell = LEAST;

  /** @param {number} unit @returns {[number, number]} px of its corner */
  place(unit) {
    if (!this.maps) return [(unit % this.across) * this.cell, Math.floor(unit / this.across) * this.cell];
    const [, rows, columns] = this.shape;
    const map = Math.floor(unit / (rows * columns));
    const rest = unit % (rows * columns);
    const [left, top] = [(map % this.inRow) * (columns * this.cell + GAP), Math.floor(map / this.inRow) * (rows * this.cell + GAP)];
    return [left + (rest % columns) * this.cell, top + Math.floor(rest / columns) * this.cell];
  }

  /** @param {MouseEvent} event the unit under a pointer */
  #at(event) {
    const [x, y] = [event.offsetX, event.offsetY];
    for (let unit = 0; unit < this.count; unit++) {
      const [left, top] = this.place(unit);
      if (x >= left && x < left + this.cell && y >= top && y < top + this.cell) return unit;
    }
    return null;
  }

  paint() {
    const { context, cell, units } = this;
    if (!units) return;
    const [accent, soft, line, strong] = ["--accent", "--ink-soft", "--line", "--ink"].map(ink);
    for (let unit = 0; unit < this.count; unit++) {
      const [left, top] = this.place(unit);
      const colour = units.switching[unit] ? accent : soft;
      context.strokeStyle = line;
      context.lineWidth = 1;
      context.strokeRect(left + 0.5, top + 0.5, cell - 1, cell - 1);
      context.fillStyle = colour;
      context.globalAlpha = units.switching[unit] ? 1 : 0.55;
      if (units.on[unit]) {
        const size = this.maps ? cell - 2 : Math.max(4, (cell - 5) * Math.sqrt(units.strength(unit)));
        context.fillRect(left + (cell - size) / 2, top + (cell - size) / 2, size, size);
      } else if (!this.maps) {
        context.fillRect(left + cell / 2 - 3, top + cell / 2 - 0.75, 6, 1.5);
      }
      context.globalAlpha = 1;
      if (units.fresh[unit] && unit !== units.marked) frame(context, left, top, cell, accent, this.maps ? 1 : 2);
    }
    if (units.marked >= 0) {
      const [left, top] = this.place(units.marked);
      frame(context, left, top, cell, strong, 3);
    }
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} left
 * @param {number} top
 * @param {number} cell
 * @param {string} colour
 * @param {number} width
 */
function frame(context, left, top, cell, colour, width) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.strokeRect(left + width / 2, top + width / 2, cell - width, cell - width);
}

/**
 * @typedef {{ alphas: Float32Array, of: number[], turnsOn: Uint8Array, layers: number, alpha: number, marked: number[] }} Ticks
 */

/** The switches along the way, a row for each layer: a tick up turns a unit on, a tick down turns it off. */
export class Strip extends Surface {
  /** @type {Ticks | null} */
  ticks = null;

  /** @param {{ mark: (alpha: number | null, layer: number) => void, choose: (alpha: number, layer: number) => void }} does */
  constructor({ mark, choose }) {
    super("The switches on the way", { role: "img" });
    this.canvas.addEventListener("pointermove", (event) => mark(this.alphaAt(event), this.#layerAt(event)));
    this.canvas.addEventListener("pointerleave", () => mark(null, 0));
    this.canvas.addEventListener("click", (event) => choose(this.alphaAt(event), this.#layerAt(event)));
  }

  measure() {
    return Math.max(1, this.ticks?.layers ?? 1) * ROW * 1.3;
  }

  /** @param {MouseEvent} event */
  alphaAt(event) {
    return Math.max(0, Math.min(1, (event.offsetX - SIDE) / (this.width - 2 * SIDE)));
  }

  /** @param {MouseEvent} event */
  #layerAt(event) {
    const layers = this.ticks?.layers ?? 1;
    return Math.max(0, Math.min(layers - 1, Math.floor(event.offsetY / (1.3 * ROW))));
  }

  paint() {
    const { context, ticks, width } = this;
    if (!ticks) return;
    const [accent, soft, line, strong] = ["--accent", "--line-strong", "--line", "--ink"].map(ink);
    const at = (/** @type {number} */ alpha) => SIDE + alpha * (width - 2 * SIDE);
    const middle = (/** @type {number} */ layer) => (layer + 0.5) * 1.3 * ROW;
    context.fillStyle = line;
    for (let layer = 0; layer < ticks.layers; layer++) context.fillRect(SIDE, middle(layer) - 0.5, width - 2 * SIDE, 1);
    ticks.alphas.forEach((alpha, k) => {
      context.fillStyle = alpha <= ticks.alpha ? accent : soft;
      context.fillRect(at(alpha) - 0.75, middle(ticks.of[k]) - (ticks.turnsOn[k] ? ROW / 2 : 0), 1.5, ROW / 2);
    });
    context.fillStyle = strong;
    for (const k of ticks.marked) {
      const up = ticks.turnsOn[k];
      context.fillRect(at(ticks.alphas[k]) - 2, middle(ticks.of[k]) - (up ? ROW / 2 + 2 : 0), 4, ROW / 2 + 2);
    }
    context.fillStyle = accent;
    context.fillRect(at(ticks.alpha) - 1, 0, 2, 1.3 * ROW * ticks.layers);
  }
}

/**
 * @typedef {{ at: (alpha: number) => number, cuts: number[], limit: [number, number], alpha: number, steps: boolean }} Course
 * `at`: the pre-activation, or 1 and 0 for on and off.
 */

/** What one unit is given along the way; above 0, where it is on, the area is filled. */
export class CourseChart extends Surface {
  /** @type {Course | null} */
  course = null;

  constructor() {
    super("", { role: "img" });
  }

  measure() {
    return 110;
  }

  paint() {
    const { context, course, width } = this;
    if (!course) return;
    const [accent, soft, strong, flare, inked] = ["--accent", "--ink-soft", "--line-strong", "--flare", "--ink"].map(ink);
    const [left, right, top, foot] = [8, width - 8, 8, 92];
    const [low, high] = course.limit;
    const x = (/** @type {number} */ alpha) => left + alpha * (right - left);
    const y = (/** @type {number} */ level) => foot - ((level - low) / (high - low)) * (foot - top);
    const points = course.cuts.map((alpha) => /** @type {[number, number]} */ ([x(alpha), course.at(alpha)]));
    /** @type {[number, number][]} */
    const drawn = course.steps ? points.flatMap(([px, level], i) => (i ? [[px, points[i - 1][1]], [px, level]] : [[px, level]])) : points;
    context.beginPath();
    context.moveTo(drawn[0][0], y(0));
    for (const [px, level] of drawn) context.lineTo(px, y(Math.max(0, level)));
    context.lineTo(drawn[drawn.length - 1][0], y(0));
    context.fillStyle = flare;
    context.fill();
    context.fillStyle = strong;
    context.fillRect(left, y(0) - 0.5, right - left, 1);
    context.beginPath();
    drawn.forEach(([px, level], i) => (i ? context.lineTo(px, y(level)) : context.moveTo(px, y(level))));
    context.strokeStyle = inked;
    context.lineWidth = 2;
    context.lineJoin = "round";
    context.stroke();
    context.fillStyle = accent;
    context.fillRect(x(course.alpha) - 1, top - 4, 2, foot - top + 8);
    context.fillStyle = soft;
    context.font = FONT;
    context.textAlign = "left";
    context.fillText("α = 0", left, foot + 15);
    context.textAlign = "right";
    context.fillText("1", right, foot + 15);
  }
}
