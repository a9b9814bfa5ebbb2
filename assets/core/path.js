// The path of an answer, unpacked once, so that a frame of playback only reads.

import { floats, largest } from "./numbers.js";

/** @import { Answer, Path, State } from "../types.js" */

/**
 * For each step 0…K: where on the path, F there, the accumulated attribution and its sum.
 * @param {Answer} answer
 * @param {Pick<State, "rule" | "pixels" | "output">} asked the state that it belongs to
 * @returns {Path}
 */
export function unpackPath(answer, asked) {
  const { values, ends } = answer.path;
  const gradients = stepByStep(floats(answer.path.gradients), values.length);
  const sizes = Array.from(values, (_, k) => largest(gradients.subarray(64 * k, 64 * k + 64)));
  const trapezoid = asked.rule === "trapezoid";
  // m trapezoids lie between m + 1 points: a step adds one of them, half of the slope at either end
  const count = values.length - (trapezoid ? 1 : 0);
  const weights = trapezoid ? Array(count).fill(1 / count) : answer.path.weights;
  const slopeOf = trapezoid
    ? (/** @type {number} */ k, /** @type {number} */ i) => (gradients[64 * (k - 1) + i] + gradients[64 * k + i]) / 2
    : (/** @type {number} */ k, /** @type {number} */ i) => gradients[64 * (k - 1) + i];
  const input = asked.pixels;
  const difference = input.map((value, i) => value - answer.baseline[i]);
  const running = new Float64Array(64 * (count + 1));
  const sums = new Float64Array(count + 1);
  const whole = weights.reduce((sum, weight) => sum + weight, 0); // 1, but for rounding and for rules that are faulty
  const reached = [0];
  let limit = 0;
  for (let k = 1; k <= count; k++) {
    reached.push(k === count && Math.abs(whole - 1) < 1e-9 ? 1 : reached[k - 1] + weights[k - 1]);
    for (let i = 0; i < 64; i++) {
      const sum = running[64 * (k - 1) + i] + weights[k - 1] * slopeOf(k, i) * difference[i];
      running[64 * k + i] = sum;
      sums[k] += sum;
      limit = Math.max(limit, Math.abs(sum));
    }
  }
  const finished = answer.methods.integrated_gradients;
  running.set(finished.map, 64 * count); // in full precision, as every figure on the page
  sums[count] = finished.total;
  const gradient = Float32Array.from(answer.methods.gradient.map);
  return {
    count,
    // the finished path has arrived at the picture, wherever the rule's last point is
    alphas: [0, ...answer.path.alphas.slice(trapezoid ? 1 : 0, -1), 1],
    values: [ends[0], ...values.slice(trapezoid ? 1 : 0, -1), ends[1]],
    curve: Array.from(floats(answer.curves[asked.output])),
    switches: answer.exact ? Array.from(floats(answer.exact.switches)) : [],
    reached,
    weights,
    ends,
    gradients,
    gradientAt: (step) => (step === count ? gradient : gradients.subarray(64 * (trapezoid ? step : step - 1)).subarray(0, 64)),
    input,
    difference,
    running,
    sums,
    limit,
    steepest: Math.max(...sizes),
    scale: Math.max(...sizes, largest(answer.methods.gradient.map)),
    sizes: { x: answer.path.alphas, y: sizes },
  };
}

/**
 * Gradients travel pixel by pixel and are played step by step.
 * @param {Float32Array} columns
 * @param {number} count
 */
function stepByStep(columns, count) {
  const rows = new Float32Array(columns.length);
  for (let k = 0; k < count; k++) for (let i = 0; i < 64; i++) rows[64 * k + i] = columns[count * i + k];
  return rows;
}

/**
 * The step that is nearest to a place on the path.
 * @param {number[]} alphas of the steps
 * @param {number} alpha
 */
export function nearestStep(alphas, alpha) {
  let nearest = 0;
  alphas.forEach((a, k) => {
    if (Math.abs(a - alpha) <= Math.abs(alphas[nearest] - alpha)) nearest = k;
  });
  return nearest;
}
