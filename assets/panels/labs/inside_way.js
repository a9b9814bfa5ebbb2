// The lab inside: what an answer says of the units on the way: which are on at α, and how much they pass on.

import { floats } from "../../core/numbers.js";

/** @import { LabAnswer } from "../../types.js" */

/**
 * @typedef {{ count: number, shape: number[], first: Uint8Array, cuts: Float32Array, z: Float32Array | null, peak: number }} Layer
 * `first`: which of its units are on where the way begins; `z`: their pre-activations at the `cuts`; `peak`: the largest of them.
 * @typedef {{ layers: Layer[], alphas: Float32Array, of: number[], units: number[], turnsOn: Uint8Array, weights: Float32Array, limit: number, switching: Uint8Array[] }} Way
 * The switches ascend in α; `of`: the layer of each; `switching`: which units switch at all.
 */

const bits = (/** @type {string} */ text) => Uint8Array.from(text, Number);

/**
 * @param {LabAnswer} answer
 * @returns {Way}
 */
export function unpack(answer) {
  const layers = answer.layers.map((/** @type {any} */ { shape, on, cuts, z }) => {
    const levels = z === null ? null : floats(z);
    return { count: on.length, shape, first: bits(on), cuts: floats(cuts), z: levels, peak: levels ? levels.reduce((most, level) => Math.max(most, level), 0) : 1 };
  });
  const switching = layers.map((/** @type {Layer} */ { count }) => new Uint8Array(count));
  answer.switch_units.forEach((/** @type {number} */ unit, /** @type {number} */ k) => (switching[answer.switch_layers[k]][unit] = 1));
  const weights = floats(answer.weights);
  const limit = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
  return { layers, alphas: floats(answer.alphas), of: answer.switch_layers, units: answer.switch_units, turnsOn: bits(answer.turns_on), weights, limit, switching };
}

/**
 * Which units are on at α, layer by layer; at a switch, those behind it.
 * @param {Way} way
 * @param {number} alpha
 */
export function onAt(way, alpha) {
  const found = way.layers.map(({ first }) => first.slice());
  for (let k = 0; k < way.alphas.length && way.alphas[k] <= alpha; k++) found[way.of[k]][way.units[k]] = way.turnsOn[k];
  return found;
}

/**
 * A pre-activation at α; null where the answer has none.
 * @param {Layer} layer
 * @param {number} unit
 * @param {number} alpha
 */
export function levelAt({ cuts, z, count }, unit, alpha) {
  if (!z) return null;
  let piece = cuts.length - 2;
  while (piece > 0 && cuts[piece] > alpha) piece--;
  const share = (alpha - cuts[piece]) / (cuts[piece + 1] - cuts[piece]);
  return (1 - share) * z[piece * count + unit] + share * z[(piece + 1) * count + unit];
}

/**
 * The switches of one unit, by their places among all.
 * @param {Way} way
 * @param {number} layer
 * @param {number} unit
 */
export const switchesOf = (way, layer, unit) => [...way.alphas.keys()].filter((k) => way.of[k] === layer && way.units[k] === unit);

/**
 * The switch that is nearest to α among those of a layer, or of all; −1 if there is none.
 * @param {Way} way
 * @param {number} alpha
 * @param {number | null} layer
 */
export function nearestSwitch(way, alpha, layer) {
  let nearest = -1;
  way.alphas.forEach((at, k) => {
    if ((layer === null || way.of[k] === layer) && (nearest < 0 || Math.abs(at - alpha) < Math.abs(way.alphas[nearest] - alpha))) nearest = k;
  });
  return nearest;
}
