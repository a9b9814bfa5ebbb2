// What the predicates of a lesson look at: the state, its answer, and what happened since the step began.

import { labKnown } from "../core/lab_answers.js";
import { pictureName } from "../core/derived.js";
import { sameValue } from "../core/link.js";
import { hasAnswer, view } from "../core/store.js";
import { maps } from "../draw/map.js";
import { isPredicted } from "../panels/labs.js";

/** @import { Seen, State } from "../types.js" */

/** @type {State} */
let before;
let predicted = 0;
let lowest = 1;
let known = false; // what it began with

const share = () => (view.path ? view.step / view.path.count : 1);

/** A step begins with what is set now; its numbers may still be on their way. */
export function begin() {
  before = view.state;
  known = false;
}

/** Whether the numbers are those of the state; the first ones say what the step began with. */
export function isFresh() {
  const { state, asked, config } = view;
  if (!hasAnswer()) return false;
  const keys = /** @type {(keyof State)[]} */ (Object.keys(state));
  if (!keys.every((key) => config.looks.includes(key) || sameValue(state[key], asked[key]))) return false;
  if (!known) [predicted, lowest, known] = [view.answer.predicted, share(), true];
  return true;
}

export function noteStep() {
  lowest = Math.min(lowest, share());
}

/**
 * @param {number} marks
 * @returns {Seen}
 */
export function seen(marks) {
  const { state, answer, chosen } = view;
  const lab = state.tab === "labs" ? state.lab : "";
  return {
    state,
    answer,
    share: share(),
    lowest,
    before,
    predicted,
    pixel: chosen,
    magnified: maps.some((map) => map.magnified !== 1 && map.root.checkVisibility()),
    marks,
    pattern: pictureName(state.pixels).pattern ?? "",
    lab: lab && isPredicted(lab) && labKnown().fresh && labKnown().answer ? lab : "",
  };
}
