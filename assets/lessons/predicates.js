// When a step of a lesson is done: the predicates of explorer/lessons/predicates.py, which has their names and arguments.

/** @import { Seen } from "../types.js" */

const EARLY = 0.1; // of the path

/** @type {Record<string, (seen: Seen, given: Record<string, any>) => boolean>} */
export const PREDICATES = {
  tab_is: ({ state }, { tab }) => state.tab === tab,
  network_is: ({ state }, { network }) => state.network === network,
  output_is: ({ state }, { output }) => state.output === output,
  baseline_is: ({ state }, { baseline }) => state.baseline === baseline,
  pattern_is: (seen, { pattern }) => seen.pattern === pattern,
  rule_is: ({ state }, { rule }) => state.rule === rule,
  steps_at_most: ({ state }, { steps }) => state.rule !== "exact" && state.steps <= steps,
  steps_at_least: ({ state }, { steps }) => state.rule !== "exact" && state.steps >= steps,
  samples_at_least: ({ state }, { samples }) => state.samples >= samples,
  samples_at_most: ({ state }, { samples }) => state.samples <= samples,
  noise_at_least: ({ state }, { noise }) => state.noise_level >= noise,
  noise_at_most: ({ state }, { noise }) => state.noise_level <= noise,
  scale_is: ({ state }, { scale }) => state.scale === scale,
  pinned: ({ state }, { method }) => state.pinned.includes(method),
  painted: ({ state, before }, { pixels }) => state.pixels.filter((value, i) => value !== before.pixels[i]).length >= pixels,
  p_above: (seen, { p }) => probability(seen) > p,
  p_below: (seen, { p }) => probability(seen) < p,
  prediction_changed: ({ answer, predicted }) => answer.predicted !== predicted,
  other_class: ({ answer }) => answer.target !== answer.predicted,
  missing_below: (seen, { share }) => missing(seen) !== null && Number(missing(seen)) < share,
  missing_above: (seen, { share }) => missing(seen) !== null && Number(missing(seen)) > share,
  played: ({ share, lowest }) => lowest <= EARLY && share === 1,
  playhead_between: ({ share }, { low, high }) => share >= low && share <= high,
  magnified: ({ magnified }) => magnified,
  pixel_chosen: ({ pixel }) => pixel !== null,
  marked: ({ marks }) => marks > 0,
  lab_is: ({ state }, { lab }) => state.tab === "labs" && state.lab === lab,
  lab_answered: (seen, { lab }) => seen.lab === lab,
};

/** @param {Seen} seen */
const probability = ({ answer }) => answer.scores[answer.target];

/** @param {Seen} seen */
const missing = ({ answer }) => {
  const { share } = answer.methods.integrated_gradients;
  return share === null ? null : Math.abs(share);
};

/**
 * Whether all of them hold.
 * @param {Record<string, Record<string, any>>} done
 * @param {Seen} seen
 */
export const isDone = (done, seen) => Object.entries(done).every(([name, given]) => PREDICATES[name](seen, given));
