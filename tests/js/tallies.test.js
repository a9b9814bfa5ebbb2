// What is counted of a class: marks, steps, scores, time.

import assert from "node:assert/strict";
import { test } from "node:test";

import { agreement, clock, finished, mostMarked, percent, ranked } from "../../assets/classroom/tallies.js";

const counts = (/** @type {Record<number, number>} */ some) => Array.from({ length: 64 }, (_, i) => some[i] ?? 0);

test("the most marked pixels come first, of equal ones the earlier, and what nobody marked never", () => {
  assert.deepEqual(mostMarked(counts({ 5: 2, 9: 7, 3: 2, 63: 1 }), 3), [9, 3, 5]);
  assert.deepEqual(mostMarked(counts({ 5: 2 }), 8), [5]);
  assert.deepEqual(mostMarked(counts({}), 8), []);
});

test("the agreement counts what both have, and what chance would give", () => {
  const eight = [0, 1, 2, 3, 4, 5, 6, 7];
  assert.equal(agreement(eight, [4, 5, 6, 7, 8, 9, 10, 11]), "4 of the class’s 8 most marked pixels are among the map’s 8 strongest. By chance it would be about 1.");
  assert.equal(agreement([1, 2], [2, 3, 4, 5]), "1 of the class’s 2 most marked pixels is among the map’s 4 strongest. By chance it would be about 0.1.");
  assert.equal(agreement([], eight), "");
});

test("a step is finished by those who said so, of that lesson alone", () => {
  const students = [{ done: { one: [1, 2], two: [3] } }, { done: { one: [2] } }, { done: {} }, {}];
  assert.deepEqual(finished(students, "one", 3), [1, 2, 0]);
  assert.deepEqual(finished(students, "two", 3), [0, 0, 1]);
});

test("the smallest score is first, of equal ones the earlier", () => {
  const scores = [{ alias: "a", score: 3, text: "", at: 1 }, { alias: "b", score: 2, text: "", at: 9 }, { alias: "c", score: 2, text: "", at: 4 }];
  assert.deepEqual(ranked(scores).map(({ alias }) => alias), ["c", "b", "a"]);
});

test("time and shares as text", () => {
  assert.deepEqual([0, 9, 60, 754].map(clock), ["0:00", "0:09", "1:00", "12:34"]);
  assert.deepEqual([percent(0, 0), percent(1, 3), percent(3, 3)], ["0 %", "33 %", "100 %"]);
});
