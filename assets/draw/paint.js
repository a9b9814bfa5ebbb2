// Painting one 8 × 8 map: a picture in grey, or a signed attribution in two colours with + and − marks, so that the sign can
// be read without seeing the colour. It takes a fraction of a millisecond.

import { grey, palette, SHADES } from "./colours.js";

// Lines of a hatched cell, in shares of it.
const HATCH = [
  [0, 0.5, 0.5, 0],
  [0, 1, 1, 0],
  [0.5, 1, 1, 0.5],
];

/**
 * @typedef {{
 *   kind: "grey" | "signed",
 *   numbers?: boolean, everyNumber?: boolean, lines?: boolean,
 *   hatched?: ReadonlySet<number>,
 *   theme?: import("../core/theme.js").Theme, ratio?: number,
 * }} PaintOptions
 * `numbers`: values in the cells with strong ones, `everyNumber`: in all that have one;
 * `lines`: between the cells; `hatched`: pixels that are marked so; `ratio`: device pixels a CSS pixel.
 */

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} size in device pixels
 * @param {ArrayLike<number>} values
 * @param {number} limit of the colour scale
 * @param {PaintOptions} options
 */
export function paintMap(context, size, values, limit, options) {
  const { fills, inks } = palette(options.theme);
  const edge = (/** @type {number} */ i) => Math.round((i * size) / 8);
  const wide = size / 8 / (options.ratio || window.devicePixelRatio || 1) >= 30;
  if (options.numbers && wide) {
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.font = `${Math.round(size / 8 / 3.6)}px system-ui, sans-serif`; // the browser computes the page's styles for it
  }
  for (let i = 0; i < 64; i++) {
    const x = edge(i % 8);
    const y = edge(Math.floor(i / 8));
    const w = edge((i % 8) + 1) - x;
    const h = edge(Math.floor(i / 8) + 1) - y;
    if (options.kind === "grey") {
      context.fillStyle = grey(values[i]);
      context.fillRect(x, y, w, h);
      continue;
    }
    const share = limit > 0 ? Math.max(-1, Math.min(1, values[i] / limit)) : 0;
    const shade = SHADES + Math.round(share * SHADES);
    context.fillStyle = fills[shade];
    context.fillRect(x, y, w, h);
    if (options.hatched?.has(i)) paintHatch(context, x, y, w, h, inks[shade]);
    const strength = Math.abs(share);
    if (strength < 0.04) continue; // FAINT in map.js
    context.fillStyle = inks[shade];
    const text = options.numbers && wide && strength >= (options.everyNumber ? 0.06 : 0.2) ? cellNumber(context, values[i], w) : null;
    if (text) context.fillText(text, x + w / 2, y + h / 2 + 1);
    else paintSign(context, x + w / 2, y + h / 2, 2 * w * (0.1 + 0.17 * Math.sqrt(strength)), share > 0);
  }
  if (options.lines) paintLines(context, size, edge);
}

/**
 * Thin lines between the cells, which tell a blank map from none.
 * @param {CanvasRenderingContext2D} context
 * @param {number} size
 * @param {(i: number) => number} edge
 */
function paintLines(context, size, edge) {
  context.fillStyle = "rgba(125, 133, 145, 0.3)";
  for (let i = 1; i < 8; i++) {
    context.fillRect(edge(i), 0, 1, size);
    context.fillRect(0, edge(i), size, 1);
  }
}

/**
 * Three diagonal lines, which meet those of the cells beside it.
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {number} w
 * @param {number} h
 * @param {string} ink
 */
function paintHatch(context, x, y, w, h, ink) {
  context.beginPath();
  for (const [fromX, fromY, toX, toY] of HATCH) {
    context.moveTo(x + fromX * w, y + fromY * h);
    context.lineTo(x + toX * w, y + toY * h);
  }
  context.save();
  context.globalAlpha = 0.45;
  context.strokeStyle = ink;
  context.lineWidth = Math.max(1, w / 16);
  context.stroke();
  context.restore();
}

/**
 * A value as long as fits into its cell: two significant digits, or one; null if not even that fits.
 * @param {CanvasRenderingContext2D} context
 * @param {number} value
 * @param {number} width
 */
function cellNumber(context, value, width) {
  const size = Math.abs(value);
  const lead = value < 0 ? "−" : "+";
  for (const digits of [2, 1]) {
    const plain = size >= 10 ? size.toFixed(0) : size.toPrecision(digits);
    const short = size < 0.001 ? size.toExponential(digits - 1).replace("e-", "e−") : plain.replace(/^0\./, ".");
    if (context.measureText(lead + short).width <= 0.94 * width) return lead + short;
  }
  return null;
}

/**
 * A + or − whose length grows with the size of the value.
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {number} length
 * @param {boolean} plus
 */
function paintSign(context, x, y, length, plus) {
  const thick = Math.max(1, length / 5);
  context.fillRect(x - length / 2, y - thick / 2, length, thick);
  if (plus) context.fillRect(x - thick / 2, y - length / 2, thick, length);
}
