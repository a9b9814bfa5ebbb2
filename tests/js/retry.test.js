import assert from "node:assert/strict";
import { test } from "node:test";
import { Busy, Outdated, UnexpectedResponse } from "../../assets/core/errors.js";
import { pauseAfter } from "../../assets/core/retry.js";
import { secondsOf } from "../../assets/core/server.js";

/**
 * @param {Error} failure
 * @param {number} before
 * @param {number} count
 */
const pauses = (failure, before, count) => Array.from({ length: count }, () => pauseAfter(failure, before));

test("after a busy server 300 pages spread evenly over the pause", () => {
  [[0, 2000], [1, 3000], [2, 4500], [1000, 15000]].forEach(([before, low]) => {
    const drawn = pauses(new Busy(2), before, 300);
    assert.ok(Math.min(...drawn) >= low && Math.max(...drawn) <= 2 * low);
    const tenths = Array.from({ length: 10 }, (_, k) => drawn.filter((pause) => Math.floor((10 * (pause - low)) / low) === k).length);
    assert.ok(Math.min(...tenths) > 5 && Math.max(...tenths) < 80, `${tenths}`); // 30 each, give or take
  });
});

test("every other pause grows too and has an end", () => {
  /** @type {[Error, number[]][]} */
  const cases = [
    [new Error("502"), [500, 4000, 6250, 18750, 18750]],
    [new UnexpectedResponse("404"), [6250, 50000, 75000, 75000, 75000]],
    [new Outdated(""), [6250, 50000, 75000, 75000, 75000]],
  ];
  cases.forEach(([failure, limits]) => {
    [0, 3, 11, 12, 5000].forEach((before, i) => {
      const longest = Math.max(...pauses(failure, before, 200));
      assert.ok(longest > 0.7 * limits[i] && longest <= limits[i], `${failure.name} ${before}: ${longest}`);
    });
  });
});

test("a busy server is believed within reason", () => {
  const said = ["3", " 4 ", "0", "600", "soon", "-5", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT", null];
  assert.deepEqual(said.map(secondsOf), [3, 4, 1, 10, 2, 2, 2, 2, 2]);
});
