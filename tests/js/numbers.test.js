import assert from "node:assert/strict";
import { test } from "node:test";
import { bound, chance, correlation, floats, grouped, largest, number, percent, plain, probability, rankCorrelation, ranks, sentenceText, signed } from "../../assets/core/numbers.js";

test("a number has three significant digits, a true minus sign, and powers of ten where it is very small or large", () => {
  const written = [0, 1, 0.1234, -0.5, 999, 1000, 99999, 1e-4, 1.2345e-5, -3e-300, 123456789].map((value) => number(value));
  assert.deepEqual(written, ["0", "1.00", "0.123", "−0.500", "999", "1.00·10³", "1.00·10⁵", "0.000100", "1.23·10⁻⁵", "−3.00·10⁻³⁰⁰", "1.23·10⁸"]);
  assert.deepEqual([0.5, -123.46].map((value) => number(value, 4)), ["0.5000", "−123.5"]);
});

test("what is not a number is a dash", () => {
  assert.deepEqual([null, undefined, NaN, Infinity, -Infinity].map((value) => number(value)), ["–", "–", "–", "–", "–"]);
  assert.deepEqual([percent(null), percent(NaN)], ["–", "–"]);
});

test("signs", () => {
  assert.deepEqual([1, -1, 0].map((value) => signed(value)), ["+1.00", "−1.00", "0"]);
  assert.equal(correlation(-0.256), "−0.26");
});

test("a probability keeps its digits until it differs from 1", () => {
  assert.deepEqual([0, 0.5, 0.9989, 0.9995, 0.99998, 1 - 1e-13, 1].map(probability), ["0", "0.500", "0.999", "0.99950", "0.999980", "≈ 1", "1.00"]);
});

test("a chance has three decimals, and is never 0 where it is more", () => {
  assert.deepEqual([0, 1e-9, 0.00034, 0.00999, 0.5, 0.99996, 1].map(chance), ["0", "<0.0001", "0.0003", "0.010", "0.500", "1.000", "1.000"]);
});

test("within a sentence a chance too small for its decimals is less than that", () => {
  const said = (/** @type {number} */ p) => sentenceText({ text: "P is {p:chance} (P = {p:chance}, {p:percent}).", numbers: { p } });
  assert.equal(said(0.25), "P is 0.250 (P = 0.250, 25 %).");
  assert.equal(said(1e-9), "P is less than 0.0001 (P < 0.0001, 1.0·10⁻⁷ %).");
});

test("a bound is rounded up", () => {
  assert.deepEqual([0, 4.2e-5, 4e-5, 0.0123, 0.591, 0.0999, 1.41, 14.1, 141].map(bound), ["0", "0.00005", "0.00004", "0.013", "0.60", "0.10", "1.5", "15", "150"]);
  assert.equal(bound(1.1e-9), "2·10⁻⁹");
});

test("a factor has its thousands apart, or is a power of ten", () => {
  assert.deepEqual([1, 200, 5000, 20000, 500000, 2e6, 1e21].map(grouped), ["1", "200", "5,000", "20,000", "500,000", "2·10⁶", "1·10²¹"]);
});

test("a share in per cent", () => {
  assert.deepEqual([0, 1e-12, 0.0123, -0.05, 0.095, 1.5, -2].map(percent), ["0 %", "0 %", "1.2 %", "−5.0 %", "10 %", "150 %", "−200 %"]);
  assert.deepEqual([0.99, 0.9974, -0.9994, 0.9996, 1, 1.0022].map(percent), ["99 %", "99.7 %", "−99.9 %", "100 %", "100 %", "100.2 %"]);
});

test("a tick is as short as it can be", () => {
  assert.deepEqual([0, 0.5, 100, -0.25, 1e-5, 2e6].map(plain), ["0", "0.5", "100", "−0.25", "1·10⁻⁵", "2·10⁶"]);
});

test("packed numbers come back", () => {
  const values = Float32Array.from([0, 1, -2.5, 1e-20, 12345.678]);
  const bytes = new Uint8Array(values.buffer);
  const planes = [0, 1, 2, 3].flatMap((plane) => Array.from(values, (_, i) => bytes[4 * i + plane]));
  assert.deepEqual(floats(btoa(String.fromCharCode(...planes))), values);
});

test("the largest absolute value; what is no list is refused", () => {
  assert.equal(largest([1, -3, 2]), 3);
  assert.equal(largest(Float32Array.of()), 0);
  assert.throws(() => largest(/** @type {any} */ (7)), TypeError);
});

test("ranks lie around 0, and equal values share their mean rank", () => {
  assert.deepEqual(ranks([30, 10, 20]), [1, -1, 0]);
  assert.deepEqual(ranks([5, 5, 1, 9]), [0, 0, -1.5, 1.5]);
});

test("rank correlation is Spearman's, and null of a flat map", () => {
  assert.equal(rankCorrelation([1, 2, 3], [10, 20, 30]), 1);
  assert.equal(rankCorrelation([1, 2, 3], [3, 2, 1]), -1);
  assert.ok(Math.abs((rankCorrelation([1, 2, 2, 4], [1, 3, 2, 4]) ?? NaN) - 0.9486832980505138) < 1e-15); // scipy.stats.spearmanr
  assert.equal(rankCorrelation([1, 1, 1], [1, 2, 3]), null);
});
