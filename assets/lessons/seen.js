// What the predicates of a lesson look at: the state, its answer, and what happened since the step began.

import { labKnown } from "../core/lab_answers.js";
import { pictureName } from "../core/derived.js";
import { hasAnswer, view } from "../core/store.js";
import { maps } from "../draw/map.js";
import { isPredicted } from "../panels/labs.js";

/** @import { Seen, State } from "../types.js" */

/** @type {State} */
let before;
let predicted = 0;
let lowest = 1;

const share = () => (view.path ? view.step / view.path.count : 1);

/** A step begins with what is there now. */
export function begin() {
  before = view.state;
  predicted = hasAnswer() ? view.answer.predicted : -1;
  lowest = share();
}

/** The first answer to what a step begins with. */
export function beginAnswer() {
  predicted = view.answer.predicted;
  lowest = 1;
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
