// The figures on the right.

import { className, outputName, score } from "../core/derived.js";
import { byId, element, smallButton, term, write } from "../core/dom.js";
import { on } from "../core/events.js";
import { place } from "../core/grid.js";
import { chance, number, percent, probability, signed } from "../core/numbers.js";
import { choosePixel, hasAnswer, markedPixel, markPixel, setMethod, view } from "../core/store.js";
import { choose } from "./controls.js";

/** @import { Answer, Result } from "../types.js" */

/** @type {Record<string, string>} */
const METHOD_OF_TAB = { saliency: "gradient" }; // Integrated Gradients on the others

/** @type {HTMLSelectElement} */
let choice;
/** @type {{ at: number, row: HTMLElement }[]} */
let rows = [];
/** @type {{ button: HTMLElement, said: HTMLElement, fill: HTMLElement, figure: HTMLElement }[]} */
let scores = []; // by class
let scoresOf = ""; // the network whose classes they are
/** @type {HTMLElement} */
let back;

export function startFigures() {
  const options = view.config.core.map((value) => element("option", { value, text: view.config.methods[value].title }));
  choice = element("select", { class: "form-select form-select-sm", "aria-label": "Method whose figures are shown", onchange: () => showFigures(choice.value) }, ...options);
  byId("method-choice").append(choice);
  on("tab", (tab) => {
    choice.value = METHOD_OF_TAB[tab] ?? "integrated_gradients";
    showFigures(choice.value);
  });
  on("answer", () => {
    drawScores();
    drawF();
    drawMethod();
  });
  on("pixel", showMarked);
}

/** @param {string} method */
function showFigures(method) {
  setMethod(method);
  if (hasAnswer()) drawMethod();
}

/** @param {number | null} marked */
function showMarked(marked) {
  rows.forEach(({ at, row }) => row.classList.toggle("marked", at === marked));
}

function drawScores() {
  const { answer } = view;
  byId("sees").replaceChildren("Seen as ", element("b", { text: className(answer.predicted) }), ` (${probability(answer.scores[answer.predicted])})`);
  if (scoresOf !== view.asked.network) buildScores();
  answer.scores.forEach((value, i) => {
    const { button, said, fill, figure } = scores[i];
    const predicted = i === answer.predicted;
    const target = i === answer.target;
    button.classList.toggle("predicted", predicted);
    button.setAttribute("aria-pressed", String(target));
    button.classList.toggle("target", target);
    write(said, predicted ? " (predicted)" : "");
    fill.style.transform = `scaleX(${value})`;
    write(figure, chance(value));
  });
  back.classList.toggle("needless", answer.predicted === answer.target);
}

/** Once for a network: a button that is replaced would drop the focus that just pressed it. */
function buildScores() {
  scoresOf = view.asked.network;
  scores = view.answer.scores.map((_, i) => {
    const said = element("span", { class: "visually-hidden" });
    const fill = element("i", { class: "score-fill" });
    const figure = element("span", { class: "figure", translate: "no" });
    const name = element("span", { class: "score-name" }, element("span", { text: className(i) }), said);
    const button = element("button", { type: "button", onclick: () => choose({ target: i }) }, name, element("span", { class: "bar" }, fill), figure);
    return { button, said, fill, figure };
  });
  back = smallButton("Back to the predicted class", () => {
    scores[view.answer.predicted].button.focus(); // this button goes
    choose({ target: "predicted" });
  });
  byId("scores").replaceChildren(
    element("ul", { class: "scores" }, ...scores.map(({ button }) => element("li", {}, button))),
    back
  );
}

/**
 * @param {string} host
 * @param {[Node | string, string, string?][]} lines names, values, and what they mean
 */
function table(host, lines) {
  const cells = lines.flatMap(([name, value, note]) => [element("dt", {}, name), element("dd", { text: value, title: note, translate: "no" })]);
  byId(host).replaceChildren(element("dl", {}, ...cells));
}

function drawF() {
  const { f } = view.answer;
  table("f-table", [
    [term("F", "F is"), outputName()],
    ["F(x)", score(f.input)],
    ["F(x′)", score(f.baseline)],
    ["ΔF", signed(f.delta, 4)],
  ]);
}

function drawMethod() {
  const { answer, method } = view;
  const figures = answer.methods[method];
  const caption = captionOf(method);
  rows = figures.top.filter(([, , value]) => value !== 0).map(topRow);
  showMarked(markedPixel());
  const none = rows.length ? "Rows and columns count from 0 at the top left." : "No pixel stands out: the whole map is 0.";
  byId("top-pixels").replaceChildren(captionElement(caption), element("ol", { class: "top" }, ...rows.map(({ row }) => row)), element("p", { class: "quiet", text: none }));
  drawSums(figures, method, caption);
  drawNoise(figures, answer, caption);
}

/**
 * @param {[number, number, number]} top
 * @param {number} rank
 */
function topRow([row, column, value], rank) {
  const at = 8 * row + column;
  const button = element(
    "button",
    {
      type: "button",
      onpointerenter: () => markPixel(at),
      onpointerleave: () => markPixel(null),
      onfocus: () => markPixel(at),
      onblur: () => markPixel(null),
      onclick: () => choosePixel(at),
    },
    element("span", { text: `${rank + 1}. ${place(at)}` }),
    element("span", { class: `figure ${value < 0 ? "minus" : "plus"}`, text: signed(value), translate: "no" })
  );
  return { at, row: element("li", {}, button) };
}

/**
 * The figures are those of the finished map, also while its steps are played.
 * @param {string} method
 */
function captionOf(method) {
  const { title } = view.config.methods[method];
  if (method !== "integrated_gradients") return title;
  const { count } = view.path;
  const unit = view.asked.rule === "exact" ? "piece" : "step";
  return `${title}, after ${count === 1 ? `its only ${unit}` : `all ${count} ${unit}s`}`;
}

/** @param {string} text */
const captionElement = (text) => element("p", { class: "quiet of", text });

/**
 * @param {Result} figures
 * @param {string} method
 * @param {string} caption
 */
function drawSums(figures, method, caption) {
  const { title, complete } = view.config.methods[method];
  const meant = complete ? "Σ − ΔF should be 0 when integration is complete." : `${title} does not promise completeness.`;
  const over = figures.delta * view.answer.f.delta > 0;
  table("completeness", [
    ["Σ attribution", signed(figures.total, 4)],
    [term("error", "Σ − ΔF"), signed(figures.delta)],
    [over ? "too much, of ΔF" : "missing, of ΔF", percent(figures.share)],
  ]);
  byId("completeness").prepend(captionElement(caption));
  byId("completeness").append(element("p", { class: "quiet", text: meant }));
}

/**
 * @param {Result} figures
 * @param {Answer} answer
 * @param {string} caption
 */
function drawNoise(figures, answer, caption) {
  const { snr } = answer.smoothgrad;
  table("snr", [
    [term("concentration", "Concentration: peak ÷ mean"), number(figures.snr), "max |a| / mean |a|: 1 is flat, 64 a single pixel"],
    ["SmoothGrad: |mean| ÷ error", snr === null ? "–" : number(snr), "median over the pixels of |mean| / standard error"],
  ]);
  byId("snr").prepend(captionElement(caption));
  byId("snr").append(
    element("p", { class: "quiet", text: "The first measures concentration (1 flat, 64 a single pixel), the second how far SmoothGrad’s mean stands above its sampling noise." })
  );
}
