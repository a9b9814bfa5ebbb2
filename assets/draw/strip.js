// A row of small maps on one canvas: the gradients along the path, at the places of the axis below.

import { element } from "../core/dom.js";
import { ink, palette, SHADES } from "./colours.js";

const GAP = 4; // px between two maps

/** @typedef {{ alphas: ArrayLike<number>, mapAt: (k: number) => ArrayLike<number>, limit: number }} Row */

export class Strip {
  /** @type {Row | null} */
  row = null;
  width = 0;
  height = 0;

  /** @param {HTMLElement} host */
  constructor(host) {
    this.canvas = element("canvas", { class: "drawing", "aria-hidden": "true" });
    host.append(this.canvas);
    new ResizeObserver(([{ contentRect }]) => {
      ({ width: this.width, height: this.height } = contentRect);
      this.draw();
    }).observe(host);
  }

  /** @param {Row} row */
  set(row) {
    this.row = row;
    this.draw();
  }

  /** Where the maps stand: as many as there is room for, each at the middle of its share of the axis. */
  get #count() {
    return Math.max(1, Math.floor(this.width / (this.height + GAP)));
  }

  draw() {
    const { row, width, height } = this;
    if (!row || !width || !height) return;
    const ratio = Math.min(3, window.devicePixelRatio || 1);
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== w || this.canvas.height !== h) Object.assign(this.canvas, { width: w, height: h });
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    context.clearRect(0, 0, w, h);
    const { fills } = palette();
    const count = this.#count;
    for (let i = 0; i < count; i++) {
      const left = Math.round(((i + 0.5) / count) * w - h / 2);
      paintSmall(context, left, h, row.mapAt(nearest(row.alphas, (i + 0.5) / count)), row.limit, fills);
    }
  }
}

/**
 * @param {ArrayLike<number>} alphas
 * @param {number} alpha
 */
function nearest(alphas, alpha) {
  let best = 0;
  for (let k = 1; k < alphas.length; k++) if (Math.abs(alphas[k] - alpha) < Math.abs(alphas[best] - alpha)) best = k;
  return best;
}

/**
 * A map in a frame, too small for signs.
 * @param {CanvasRenderingContext2D} context
 * @param {number} left
 * @param {number} size in device pixels
 * @param {ArrayLike<number>} values
 * @param {number} limit
 * @param {string[]} fills
 */
function paintSmall(context, left, size, values, limit, fills) {
  const edge = (/** @type {number} */ i) => Math.round((i * size) / 8);
  for (let i = 0; i < 64; i++) {
    const [x, y] = [edge(i % 8), edge(i >> 3)];
    const share = limit > 0 ? Math.max(-1, Math.min(1, values[i] / limit)) : 0;
    context.fillStyle = fills[SHADES + Math.round(share * SHADES)];
    context.fillRect(left + x, y, edge((i % 8) + 1) - x, edge((i >> 3) + 1) - y);
  }
  context.strokeStyle = ink("--line");
  context.lineWidth = 1;
  context.strokeRect(left + 0.5, 0.5, size - 1, size - 1);
}
