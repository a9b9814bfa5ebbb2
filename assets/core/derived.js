// What follows from the store: names, F as text, and the pixel that the page describes.

import { chance, number, probability } from "./numbers.js";
import { markedPixel, view } from "./store.js";

/** @import { Config, Pixels, State } from "../types.js" */

/** @param {number} index */
export const className = (index) => view.config.networks[view.asked.network].classes[index];

export const outputName = () => `${view.asked.output === "logit" ? "logit" : "P"}(${className(view.answer.target)})`;

/**
 * F in the digits that suit a probability, or a logit.
 * @param {number} value
 */
export const score = (value) => (view.asked.output === "probability" ? probability(value) : number(value));

/**
 * F as the figure of a map: P to three decimals.
 * @param {number} value
 * @param {State["output"]} [output]
 */
export const figureOfF = (value, output = view.asked.output) =>
  output === "logit" ? `logit = ${number(value)}` : value > 0 && value < 1e-4 ? "P < 0.0001" : `P = ${chance(value)}`;

/** The pixel under the pointer, else the chosen one, else the one with the largest attribution. */
export function pixelInView() {
  const marked = markedPixel();
  if (marked !== null) return marked;
  const [row, column] = view.answer.methods.integrated_gradients.top[0];
  return 8 * row + column;
}

/** The baseline, as in "on the way from black". */
export const startName = () => view.config.starts[view.asked.baseline];

/** What follows where the baseline equals the picture, and what to do; nothing where it does not. */
export const equalBaselineSentences = () =>
  view.answer.equal_pixels < view.asked.pixels.length
    ? []
    : ["The baseline equals your picture, so Integrated Gradients is 0 at every pixel.", "Paint on, or choose another baseline."];

/**
 * The double nearest to a whole 2800th: what a link can carry.
 * @param {number} value
 */
export const onLattice = (value) => Math.round(value * view.config.levels) / view.config.levels;

/** @param {number[]} levels */
export const fromLevels = (levels) => levels.map((level) => level / view.config.levels);

/**
 * The preset that a picture is, pixel by pixel; any other picture is Custom.
 * @param {Pixels} picture
 * @param {Pick<Config, "patterns" | "digits" | "levels">} config
 * @returns {{ title: string, pattern?: string, digit?: number }}
 */
export function pictureName(picture, config = view.config) {
  const { patterns, digits, levels: top } = config;
  const same = (/** @type {number[]} */ levels) => levels.every((level, i) => level / top === picture[i]);
  const pattern = Object.entries(patterns).find(([, { levels }]) => same(levels));
  if (pattern) return { title: pattern[1].title, pattern: pattern[0] };
  for (let digit = 0; digit < digits.length; digit++) {
    const sample = digits[digit].findIndex(same);
    if (sample >= 0) return { title: `A handwritten ${digit} (sample ${sample + 1} of ${digits[digit].length})`, digit };
  }
  return { title: "Custom" };
}
