// The words below the panels: what the answer says, and while the path is walked, what is said of the place on it.

import { className, equalBaselineSentences, outputName, score } from "../core/derived.js";
import { byId, element, smallButton, write } from "../core/dom.js";
import { on } from "../core/events.js";
import { largest, number, sentenceText } from "../core/numbers.js";
import { hasAnswer, view } from "../core/store.js";
import { choose } from "./controls.js";

/** @import { Panel } from "../types.js" */

/** @type {Record<string, Panel>} */
let panels = {};
let told = ["", ""]; // headline and second line of the answer

/** @param {Record<string, Panel>} all by tab */
export function startNarration(all) {
  panels = all;
  on("sentence", showSentences);
  on("step", narrate);
}

export function showSentences() {
  if (!hasAnswer()) return;
  const { tab } = view.state;
  const own = panels[tab].sentence?.() ?? null;
  const all = own ? [own] : (view.answer.narration[tab] ?? []).map(sentenceText); // none while the rest is on its way
  told = [all[0] ?? "", all.slice(1, 2).join(" ")];
  write(byId("words"), told.join(" "));
  const { predicted, target } = view.answer;
  const ask = smallButton(`Ask about “${className(predicted)}” instead`, () => choose({ target: predicted }));
  const equal = equalBaselineSentences().slice(tab === "integrated" ? 1 : 0); // there the words begin with the first
  const paintOn = element("p", { class: "quiet", text: equal.join(" ") });
  byId("suggestion").replaceChildren(...(predicted === target ? [] : [ask]), ...(equal.length ? [paintOn] : []));
  narrate();
}

/** During playback the sentences describe the current step; they are not read aloud, nor is the gauge. */
function narrate() {
  if (!hasAnswer()) return;
  const { path, step, state } = view;
  const midway = state.tab === "integrated" && step < path.count;
  const [first, ...rest] = midway ? stepSentences(step).map((sentence) => sentence.text) : told;
  write(byId("headline"), first);
  write(byId("second"), rest.join(" "));
}

/**
 * What is said at a step of the path, with the claims that are made, as in Python for the finished map.
 * @param {number} step
 */
export function stepSentences(step) {
  const { answer, path } = view;
  if (!step) {
    return [
      { claim: "start", text: "This is the baseline, where the path starts." },
      { claim: "advice", text: "Press Play, or →, to bring the picture in bit by bit and add up the gradients on the way." },
    ];
  }
  return [
    { claim: "place", text: `The picture is ${percentThere(path.alphas[step])} % there; ${outputName()} went from ${score(answer.f.baseline)} to ${score(path.values[step])}.` },
    slopeSentence(largest(path.gradientAt(step)), path.steepest),
    { claim: "sum so far", text: `Added up so far: Σ = ${number(path.sums[step])} of ΔF = ${number(answer.f.delta)}.` },
  ];
}

/**
 * Within the path no share is written as 0 or 100 %.
 * @param {number} alpha
 */
const percentThere = (alpha) => (alpha > 0 && alpha < 0.005 ? "under 1" : alpha > 0.995 && alpha < 1 ? "over 99" : Math.round(100 * alpha));

/**
 * Over all pixels, as the map beside it; under the exact rule a step is a piece, and its gradient a mean.
 * @param {number} here
 * @param {number} steepest
 */
function slopeSentence(here, steepest) {
  const [what, where] = view.asked.rule === "exact" ? ["mean gradient over this piece", "piece"] : ["gradient here", "step"];
  if (!steepest) return { claim: "no slope", text: `The gradient is 0 at every ${where}.` };
  const size = here < steepest / 20 ? "small" : here > steepest / 2 ? "large" : "moderate";
  return { claim: `${size} slope`, text: `The ${what} is ${size}: at most ${number(here)}, where the largest of any ${where} is ${number(steepest)}.` };
}
