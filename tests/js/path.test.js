import assert from "node:assert/strict";
import { test } from "node:test";
import { nearestStep, unpackPath } from "../../assets/core/path.js";

/**
 * Packed as by the server: base64 of float32, byte by byte of all.
 * @param {number[]} values
 */
function packed(values) {
  const bytes = new Uint8Array(Float32Array.from(values).buffer);
  const planes = [0, 1, 2, 3].flatMap((plane) => values.map((_, i) => bytes[4 * i + plane]));
  return btoa(String.fromCharCode(...planes));
}

/**
 * An answer whose gradient is `slopes[k]` at every pixel of point k.
 * @param {number[]} slopes
 * @param {number[]} alphas
 * @param {number[]} weights
 */
function answerOf(slopes, alphas, weights) {
  return /** @type {any} */ ({
    baseline: Array(64).fill(0),
    path: {
      alphas,
      weights,
      values: alphas,
      ends: [0, 1],
      gradients: packed(Array(64).fill(slopes).flat()), // pixel by pixel
    },
    curves: { probability: packed([0, 1]), logit: packed([0, 9]) },
    methods: { integrated_gradients: { map: Array(64).fill(2), total: 128 }, gradient: { map: Array(64).fill(-4) } },
    exact: null,
  });
}

const asked = /** @type {const} */ ({ pixels: Array(64).fill(1), output: "probability" });

test("the right rule adds one gradient a step, and ends with the server's own numbers", () => {
  const path = unpackPath(answerOf([1, 3], [0.5, 1], [0.5, 0.5]), { rule: "right", ...asked });
  assert.equal(path.count, 2);
  assert.deepEqual(path.alphas, [0, 0.5, 1]);
  assert.deepEqual(path.values, [0, 0.5, 1]);
  assert.deepEqual([...path.sums], [0, 64 * 0.5, 128]);
  assert.deepEqual([...path.running.subarray(64, 128)], Array(64).fill(0.5));
  assert.deepEqual([...path.gradientAt(1)], Array(64).fill(1));
  assert.deepEqual([...path.gradientAt(2)], Array(64).fill(-4)); // at its end the path has arrived at the picture
  assert.deepEqual(path.curve, [0, 1]);
  assert.deepEqual(path.reached, [0, 0.5, 1]);
  assert.deepEqual([path.steepest, path.scale, path.limit], [3, 4, 2]);
});

test("m trapezoids lie between m + 1 points, each with the mean of two gradients", () => {
  const path = unpackPath(answerOf([1, 3, 5], [0, 0.5, 1], [0.25, 0.5, 0.25]), { rule: "trapezoid", ...asked });
  assert.equal(path.count, 2);
  assert.deepEqual(path.alphas, [0, 0.5, 1]);
  assert.deepEqual([...path.sums], [0, 64 * 0.5 * 2, 128]);
  assert.deepEqual([...path.gradientAt(1)], Array(64).fill(3));
});

test("a rule whose weights fall short of 1 ends short of the input", () => {
  const path = unpackPath(answerOf([1, 1], [0.5, 1], [0.25, 0.5]), { rule: "captum-trapezoid", ...asked });
  assert.deepEqual(path.reached, [0, 0.25, 0.75]);
  assert.deepEqual([path.alphas, path.values], [[0, 0.5, 1], [0, 0.5, 1]]);
});

test("the nearest step; the later one of two as near", () => {
  assert.deepEqual([0, 0.1, 0.25, 0.3, 0.9].map((alpha) => nearestStep([0, 0.5, 1], alpha)), [0, 0, 1, 1, 2]);
});
