// The sentences: above the maps a headline and a second line, in the list below what else the numbers say. While the path is
// walked, the first two are about the place on it.

import { className, equalBaselineSentences, startName } from "../core/derived.js";
import { byId, element, smallButton, write } from "../core/dom.js";
import { on } from "../core/events.js";
import { largest, number, percent, saidChance, sentenceText, shareOfWay } from "../core/numbers.js";
import { hasAnswer, view } from "../core/store.js";
import { FAINT } from "../draw/map.js";
import { choose } from "./controls.js";

/** @import { Panel, Told } from "../types.js" */

const LARGE = 0.3; // of the largest gradient on the path

/** @type {Record<string, Panel>} */
let panels = {};
let suggested = "";
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
  suggest(predicted === target ? "" : `Explain “${className(predicted)}” instead`, tab === "integrated" ? "" : equalBaselineSentences().join(" ")); // there it is the headline
  narrate();
}

/**
 * A button that stays what it is is not replaced: it would drop the focus.
 * @param {string} instead
 * @param {string} paintOn
 */
function suggest(instead, paintOn) {
  const wanted = `${instead}\n${paintOn}`;
  if (wanted === suggested) return;
  suggested = wanted;
  const parts = [instead && smallButton(instead, () => choose({ target: "predicted" })), paintOn && element("p", { class: "quiet", text: paintOn })];
  byId("suggestion").replaceChildren(...parts.filter((part) => part !== ""));
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

/** @typedef {{ claim: string, place: "headline" | "second", text: string }} Said */

/**
 * What is said at a step of the path, with the claims that are made, as in Python for the finished map.
 * @param {number} step
 * @returns {Said[]}
 */
export function stepSentences(step) {
  const { answer, path, asked } = view;
  const f = path.values[step];
  if (!step) {
    return [
      { claim: "start", place: "headline", text: `Start: ${startName()}. ${asked.output === "probability" ? "P" : "The logit"} is ${valueText(f)}.` },
      { claim: "advice", place: "second", text: "Press Play: your picture appears step by step, and the sum collects what the gradient says." },
    ];
  }
  const sure = asked.output === "probability" && f > 0.9;
  const adds = asked.rule === "exact" ? "Each piece adds its mean gradient × change of the pixel." : "Each step adds gradient × change of the pixel.";
  return [
    placeSentence(path.alphas[step], path.ends[0], f),
    seesLittle(f) ? { claim: "sees little", place: "headline", text: "The network sees little yet." } : slopeSentence(step),
    sure ? { claim: "near 1", place: "second", text: "P can hardly rise any more." } : { claim: "advice", place: "second", text: adds },
    sumSentence(path.sums[step], answer.f.delta, answer.methods.integrated_gradients.share === null),
  ];
}

/** @param {number} f */
const valueText = (f) => (view.asked.output === "probability" ? saidChance(f) : number(f));

/**
 * @param {number} alpha
 * @param {number} start F at the baseline
 * @param {number} f
 * @returns {Said}
 */
function placeSentence(alpha, start, f) {
  const subject = view.asked.output === "probability" ? "P" : "the logit";
  const [from, to] = [valueText(start), valueText(f)];
  const change = from === to ? `is ${to}` : `${f > start ? "rose" : "fell"} from ${from} to ${to}`;
  return { claim: "place", place: "headline", text: `${shareOfWay(alpha)} of the way: ${subject} ${change}.` };
}

/**
 * Whether P is still low on the way to the class that the network sees in the end.
 * @param {number} f
 */
function seesLittle(f) {
  const { answer, asked, path } = view;
  return asked.output === "probability" && answer.predicted === answer.target && Math.max(f, path.ends[0]) < 0.1 && path.ends[1] > 0.5;
}

/**
 * Over all pixels, as the map shows it; under the exact rule a step is a piece, and its gradient a mean.
 * @param {number} step
 * @returns {Said}
 */
function slopeSentence(step) {
  const { path, asked } = view;
  const what = `The ${asked.rule === "exact" ? "mean gradient" : "gradient"}`;
  const said = (/** @type {string} */ claim, /** @type {string} */ text) => ({ claim, place: /** @type {const} */ ("headline"), text: `${what} ${text}.` });
  const sizes = path.sizes.y;
  const here = largest(path.gradientAt(step));
  const before = largest(sizes.slice(0, step));
  if (!here) return said("no slope", "is 0");
  if (here < FAINT * path.scale) return before < FAINT * path.scale ? said("blank so far", "is still blank") : said("blank again", "has gone blank");
  if (here < before / 2) return said("fading slope", "is fading");
  if (here < LARGE * path.scale) return said("small slope", "is small");
  if (here < before) return said("large slope", "is large");
  const least = Math.min(...sizes, largest(view.answer.methods.gradient.map));
  return least < FAINT * path.scale ? said("flaring slope", "flares up") : said("large slope", "is large");
}

/**
 * Below 0 and far above ΔF a share would mislead.
 * @param {number} sum
 * @param {number} goal
 * @param {boolean} none whether ΔF is 0 to rounding
 * @returns {Said}
 */
function sumSentence(sum, goal, none) {
  const share = sum / goal;
  const part = share > 0.995 && share < 1 ? "more than 99 %" : percent(share);
  const text = none ? `The sum is ${number(sum)}.` : share >= 0 && share < 1.005 ? `The sum holds ${part} of ΔF.` : `The sum is ${number(sum)}, and ΔF is ${number(goal)}.`;
  return { claim: "sum so far", place: "second", text };
}
