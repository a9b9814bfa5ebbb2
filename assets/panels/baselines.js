// The baselines as small pictures under the baseline's map.

import { byId, element } from "../core/dom.js";
import { on } from "../core/events.js";
import { view } from "../core/store.js";
import { paintMap } from "../draw/paint.js";
import { choose } from "./controls.js";

/** @import { Pixels } from "../types.js" */

const SIZE = 32; // device pixels of a small picture
const SIGMA = 2; // pixels, as in pictures.py

/** @type {Record<string, { button: HTMLButtonElement, context: CanvasRenderingContext2D }>} */
const thumbs = {};

export function startBaselines() {
  for (const [name, title] of Object.entries(view.config.baselines)) {
    const canvas = element("canvas", { width: SIZE, height: SIZE, "aria-hidden": "true" });
    const button = element("button", { type: "button", class: "thumb", title, "aria-label": `Baseline: ${title}`, "data-name": name, onclick: () => take(name) }, canvas);
    thumbs[name] = { button, context: /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")) };
    byId("baselines").append(button);
  }
  on("state", (patch) => {
    if (patch.pixels || patch.network || patch.drawing || patch.baseline) show();
  });
}

/**
 * A picture of mine: the picture as it is now, each time that it is pressed.
 * @param {string} name
 */
function take(name) {
  choose(name === "drawing" ? { baseline: name, drawing: view.state.pixels.slice() } : { baseline: name });
}

function show() {
  for (const [name, { button, context }] of Object.entries(thumbs)) {
    button.setAttribute("aria-pressed", String(name === view.state.baseline));
    paintMap(context, SIZE, pictureOf(name), 1, { kind: "grey" });
  }
  thumbs.drawing.button.title = view.state.baseline === "drawing" ? "A picture of mine; again for the picture as it is now" : "My picture as it is now";
}

/**
 * What a thumbnail shows; for noise an emblem, as only the server draws it.
 * @param {string} name
 * @returns {ArrayLike<number>}
 */
function pictureOf(name) {
  const { pixels, network, drawing } = view.state;
  if (name === "white") return Array(64).fill(1);
  if (name === "noise") return Array.from({ length: 64 }, (_, i) => (Math.sin(12.9898 * (i + 1)) * 43758.5453) % 1).map(Math.abs);
  if (name === "blur") return blurred(pixels);
  if (name === "mean") return view.config.networks[network].mean;
  if (name === "farthest") return pixels.map((value) => Number(value < 0.5));
  if (name === "drawing") return drawing ?? pixels;
  return Array(64).fill(0);
}

/**
 * Under a Gaussian, rows first, the border replicated; as the server's, which a test compares it with.
 * @param {Pixels} pixels
 */
export function blurred(pixels) {
  const reach = 4 * SIGMA;
  const kernel = Array.from({ length: 2 * reach + 1 }, (_, k) => Math.exp(-((k - reach) ** 2) / (2 * SIGMA ** 2)));
  const whole = kernel.reduce((sum, weight) => sum + weight);
  const along = (/** @type {Pixels} */ from, /** @type {(i: number, shift: number) => number} */ at) =>
    from.map((_, i) => kernel.reduce((sum, weight, k) => sum + weight * from[at(i, k - reach)], 0) / whole);
  const within = (/** @type {number} */ value) => Math.max(0, Math.min(7, value));
  const rows = along(pixels, (i, shift) => 8 * (i >> 3) + within((i % 8) + shift));
  return along(rows, (i, shift) => 8 * within((i >> 3) + shift) + (i % 8));
}
