import assert from "node:assert/strict";
import { test } from "node:test";
import { keyOf } from "../../assets/core/dom.js";
import { pixelAfter, place } from "../../assets/core/grid.js";

test("arrows, Home and End move within the grid", () => {
  const keys = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End", "a"];
  assert.deepEqual(keys.map((key) => pixelAfter(18, key)), [10, 26, 17, 19, 16, 23, null]);
  assert.deepEqual(keys.map((key) => pixelAfter(0, key)), [0, 8, 0, 1, 0, 7, null]);
  assert.deepEqual(keys.map((key) => pixelAfter(63, key)), [55, 63, 62, 63, 56, 63, null]);
  assert.equal(place(18), "row 2, column 2");
});

test("a digit of any script is that digit, and a letter of another script is the one at its place", () => {
  assert.equal(keyOf({ key: "٣", code: "Digit3" }), "3");
  assert.equal(keyOf({ key: "७", code: "Digit7" }), "7");
  assert.equal(keyOf({ key: "я", code: "KeyZ" }), "z");
  assert.equal(keyOf({ key: "y", code: "KeyZ" }), "y"); // a German keyboard
  assert.equal(keyOf({ key: "é", code: "Digit2" }), "é"); // a French one
  assert.equal(keyOf({ key: "ArrowUp", code: "ArrowUp" }), "ArrowUp");
});
