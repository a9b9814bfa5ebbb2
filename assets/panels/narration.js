// The sentences: above the maps a headline and a second line, in the list below what else the numbers say. While the path is
// walked, the first two are about the place on it.

import { className, equalBaselineSentences, score, startName } from "../core/derived.js";
import { byId, element, smallButton, write } from "../core/dom.js";
import { on } from "../core/events.js";
import { chance, largest, number, percent, sentenceText } from "../core/numbers.js";
import { hasAnswer, view } from "../core/store.js";
import { FAINT } from "../draw/map.js";
import { choose } from "./controls.js";

/** @import { Panel, Told } from "../types.js" */

const FLARE = 0.3; // of the largest gradient on the path

/** @type {Record<string, Panel>} */
let panels = {};
/** @type {Told} */
let told = { headline: "", second: "" }; // of the answer

/** @param {Record<string, Panel>} all by tab */
export function startNarration(all) {
  panels = all;
  on("sentence", showSentences);
  on("step", narrate);
}

export function showSentences() {
  if (!hasAnswer()) return;
  const { tab } = view.state;
  const all = view.answer.narration[tab] ?? []; // none while the rest is on its way
  const at = (/** @type {string} */ place) => all.filter((sentence) => sentence.place === place).map(sentenceText);
  told = panels[tab].sentence?.() ?? { headline: at("headline").join(" "), second: at("second").join(" ") };
  write(byId("words"), `${told.headline} ${told.second}`);
  const more = told.more ?? at("more");
  byId("more").replaceChildren(...more.map((text) => element("li", { text })));
  /** @type {HTMLElement} */ (byId("more").closest("section")).hidden = !more.length;
  const { predicted, target } = view.answer;
  const ask = smallButton(`Explain “${className(predicted)}” instead`, () => choose({ target: "predicted" }));
  const equal = tab === "integrated" ? [] : equalBaselineSentences(); // there it is the headline
  const paintOn = element("p", { class: "quiet", text: equal.join(" ") });
  byId("suggestion").replaceChildren(...(predicted === target ? [] : [ask]), ...(equal.length ? [paintOn] : []));
  narrate();
}

/** Sentences about a step are seen, not read aloud. */
function narrate() {
  if (!hasAnswer()) return;
  const { path, step, state } = view;
  const midway = state.tab === "integrated" && step < path.count;
  const said = midway ? stepSentences(step) : [];
  const at = (/** @type {string} */ place) => said.filter((sentence) => sentence.place === place).map(({ text }) => text).join(" ");
  write(byId("headline"), midway ? at("headline") : told.headline);
  write(byId("second"), midway ? at("second") : told.second);
}

/**
 * What is said at a step of the path, with the claims that are made, as in Python for the finished map.
 * @param {number} step
 * @returns {{ claim: string, place: "headline" | "second", text: string }[]}
 */
export function stepSentences(step) {
  const { answer, path, asked } = view;
  const isProbability = asked.output === "probability";
  const value = (/** @type {number} */ f) => (isProbability ? `P is ${chance(f)}.` : `the logit is ${number(f)}.`);
  if (!step) {
    const start = value(path.ends[0]);
    return [
      { claim: "start", place: "headline", text: `Start: ${startName()}. ${start[0].toUpperCase()}${start.slice(1)}` },
      { claim: "advice", place: "second", text: "Press Play: your picture appears step by step, and the sum collects what the gradient says." },
    ];
  }
  const adds = asked.rule === "exact" ? "Each piece adds its mean gradient × change of the pixel." : "Each step adds gradient × change of the pixel.";
  const none = answer.methods.integrated_gradients.share === null;
  const sum = path.sums[step];
  return [
    { claim: "place", place: "headline", text: `${percentThere(path.alphas[step])} of the way: ${value(path.values[step])}` },
    slopeSentence(largest(path.gradientAt(step)), path.scale),
    { claim: "advice", place: "second", text: adds },
    { claim: "sum so far", place: "second", text: none ? `The sum is ${score(sum)}.` : `The sum holds ${percent(sum / answer.f.delta)} of ΔF.` },
  ];
}

/**
 * Within the path no share is written as 0 or 100 %.
 * @param {number} alpha
 */
const percentThere = (alpha) => `${alpha > 0 && alpha < 0.005 ? "under 1" : alpha > 0.995 && alpha < 1 ? "over 99" : Math.round(100 * alpha)} %`;

/**
 * Over all pixels, as the map shows it; under the exact rule a step is a piece, and its gradient a mean.
 * @param {number} here
 * @param {number} scale
 * @returns {{ claim: string, place: "headline", text: string }}
 */
function slopeSentence(here, scale) {
  const what = view.asked.rule === "exact" ? "mean gradient" : "gradient";
  if (!here) return { claim: "no slope", place: "headline", text: `The ${what} is 0.` };
  if (here < FAINT * scale) return { claim: "small slope", place: "headline", text: `The ${what} is blank.` };
  if (here > FLARE * scale) return { claim: "large slope", place: "headline", text: `The ${what} flares up.` };
  return { claim: "moderate slope", place: "headline", text: `The ${what} answers a little.` };
}
