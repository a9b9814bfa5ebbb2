// The case as one page to be printed: a file of its own that needs nothing else, black on white.

import { className, figureOfF, outputName, pictureName } from "../../core/derived.js";
import { element } from "../../core/dom.js";
import { address, download, fileName } from "../../core/download.js";
import { Refused } from "../../core/errors.js";
import { resultOf, unitOf } from "../../core/method_results.js";
import { chance, largest, number, percent, plain, sentenceText, signed } from "../../core/numbers.js";
import { askServer } from "../../core/server.js";
import { completeAnswer } from "../../core/session.js";
import { view } from "../../core/store.js";
import { FAINT } from "../../draw/map.js";
import { paintMap } from "../../draw/paint.js";
import { whileBusy } from "./busy.js";

/** @import { Pixels, Refusal, Result } from "../../types.js" */

const SIZE = 360; // px of a map
const WITHIN = 20000; // ms for a method's answer
const STYLE = `
@page { size: A4; margin: 14mm; }
body { font: 10.5pt/1.4 system-ui, "Segoe UI", "Noto Sans", "Liberation Sans", sans-serif; color: #000; background: #fff; max-width: 182mm; margin: 8mm auto; padding: 0 4mm; }
h1 { font-size: 16pt; line-height: 1.2; margin: 0 0 2mm; }
h2 { font-size: 11.5pt; margin: 5mm 0 1.5mm; break-after: avoid; }
.lead { font-size: 12pt; margin: 0 0 1mm; }
.maps { display: grid; grid-template-columns: repeat(3, 1fr); gap: 4mm 5mm; margin-top: 4mm; }
figure { margin: 0; break-inside: avoid; }
figure img { width: 100%; height: auto; aspect-ratio: 1; display: block; border: 0.3mm solid #888; }
figcaption { font-size: 8.5pt; line-height: 1.35; }
figcaption b { font-size: 9.5pt; }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 0 8mm; }
section { break-inside: avoid; }
table { border-collapse: collapse; width: 100%; font-size: 9pt; }
th, td { text-align: left; font-weight: 400; padding: 0.5mm 0; border-bottom: 0.2mm solid #bbb; vertical-align: top; }
td { text-align: right; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
tr.told * { font-weight: 700; }
ul { margin: 0; padding-left: 5mm; }
.link { font-size: 8.5pt; overflow-wrap: anywhere; color: #000; }
@media print { body { margin: 0; padding: 0; max-width: none; } }
@media (max-width: 600px) { .maps { grid-template-columns: 1fr 1fr; } .two { grid-template-columns: 1fr; } }
`;

let asked = 0;

/** @param {HTMLButtonElement} button */
export const saveReport = (button) => whileBusy(button, "Writing the report…", save);

async function save() {
  await completeAnswer(); // which has the sentences about the path
  const pinned = view.state.pinned.slice();
  const before = view.answer;
  /** @type {[string, Result | Refusal][]} */
  const results = [];
  for (const name of pinned) results.push([name, resultOf(name) ?? (await answerOf(name))]);
  if (view.answer !== before) return save(); // the picture changed meanwhile
  download(fileName("report", "html"), new Blob([report(results)], { type: "text/html" }));
}

/**
 * @param {string} name
 * @returns {Promise<Result | Refusal>}
 */
async function answerOf(name) {
  const question = { ask: ++asked, state: { ...view.asked, options: view.state.options }, methods: [name] };
  try {
    return (await askServer("method-answers", "method-question", question, AbortSignal.timeout(WITHIN))).methods[name];
  } catch (cause) {
    if (cause instanceof Refused) return { refusal: cause.message.trim() };
    throw cause;
  }
}

/** @param {[string, Result | Refusal][]} results */
function report(results) {
  const { answer, asked: state, config } = view;
  const network = config.networks[state.network];
  const title = `${outputName()} of ${pictureName(state.pixels).title === "Custom" ? "a painted picture" : `“${pictureName(state.pixels).title}”`}`;
  const where = address({ ...state, options: view.state.options, pinned: view.state.pinned });
  const maps = [
    greyFigure("The picture x", state.pixels, figureOfF(answer.f.input)),
    greyFigure(`The baseline x′: ${config.baselines[state.baseline].toLowerCase()}`, answer.baseline, figureOfF(answer.f.baseline)),
    ...results.map(([name, result]) => methodFigure(name, result)),
  ];
  const page = element(
    "html",
    { lang: "en" },
    element("head", {}, element("meta", { charset: "utf-8" }), element("meta", { name: "viewport", content: "width=device-width" }), element("title", { text: title }), element("style", { text: STYLE })),
    element(
      "body",
      {},
      element("h1", { text: title }),
      ...said("headline").map((text) => element("p", { class: "lead" }, element("b", { text }))),
      ...said("second").map((text) => element("p", { class: "lead", text })),
      element("div", { class: "maps" }, ...maps),
      element("div", { class: "two" }, section("Prediction", table(answer.scores.map((value, i) => [className(i), chance(value), i === answer.target]))), section("Figures", table(figures()))),
      ...more(),
      element("div", { class: "two" }, section("Settings", table(settings())), section("The network", element("p", { text: `${network.title}. ${network.about}` }))),
      section("The same case on its page", element("a", { class: "link", href: where, text: where })),
      element("p", { class: "link", text: `Gradient Attribution Explorer, ${new Date().toLocaleDateString([], { dateStyle: "long" })}.` })
    )
  );
  return `<!DOCTYPE html>\n${page.outerHTML}\n`;
}

/** @param {"headline" | "second" | "more"} place */
const said = (place) => (view.answer.narration.integrated ?? []).filter((sentence) => sentence.place === place).map(sentenceText);

function more() {
  const all = said("more");
  return all.length ? [section("What else the numbers say", element("ul", {}, ...all.map((text) => element("li", { text }))))] : [];
}

/**
 * @param {string} title
 * @param {Node} content
 */
const section = (title, content) => element("section", {}, element("h2", { text: title }), content);

/** @param {[string, string, boolean?][]} lines names and values; and which is told of */
const table = (lines) =>
  element("table", {}, element("tbody", {}, ...lines.map(([name, value, told]) => element("tr", { class: told ? "told" : null }, element("th", { scope: "row", text: name }), element("td", { text: value })))));

/** @returns {[string, string][]} */
function figures() {
  const { f, methods } = view.answer;
  const { total, delta, share, snr } = methods.integrated_gradients;
  return [
    ["F", outputName()],
    ["F(x)", number(f.input, 4)],
    ["F(x′)", number(f.baseline, 4)],
    ["ΔF = F(x) − F(x′)", signed(f.delta, 4)],
    ["Σ of Integrated Gradients", signed(total, 4)],
    ["Σ − ΔF", signed(delta)],
    ["the same, of ΔF", percent(share)],
    ["Its concentration: peak ÷ mean", number(snr)],
  ];
}

/** @returns {[string, string][]} */
function settings() {
  const { asked: state, config, path } = view;
  const options = Object.entries(view.state.options).filter(([name]) => view.state.pinned.includes(name));
  const values = (/** @type {Record<string, any>} */ own) => Object.entries(own).map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`).join(", ");
  return [
    ["Class that is explained", `${className(view.answer.target)}${state.target === "predicted" ? " (predicted)" : ""}`],
    ["Baseline", config.baselines[state.baseline]],
    ["Rule on the path", state.rule],
    [state.rule === "exact" ? "Pieces" : "Steps m", String(path.count)],
    ["Noisy copies n", String(state.samples)],
    ["Noise level", `${state.noise_level}${state.clip ? ", clipped" : ""}`],
    ["Seed", String(state.seed)],
    .../** @type {[string, string][]} */ (options.map(([name, own]) => [config.methods[name].title, values(own)])),
  ];
}

/**
 * @param {string} title
 * @param {Pixels} pixels
 * @param {string} text
 */
const greyFigure = (title, pixels, text) => figure(title, drawn(pixels, 1, "grey"), [text, "0 black … 1 white"]);

/**
 * @param {string} name
 * @param {Result | Refusal} result
 */
function methodFigure(name, result) {
  const { title } = view.config.methods[name];
  if (!result.map) return figure(title, null, [result.refusal ?? ""]);
  const limit = largest(result.map);
  const unit = unitOf(name);
  const sums = result.expected_sum === undefined || result.expected_sum === null ? "" : `, should be ${signed(result.expected_sum)}`;
  const lines = [`Σ = ${signed(result.total)}${sums}`, `scale ±${number(limit)}${unit ? `, in ${unit}` : ""}`, `peak ÷ mean ${number(result.snr)}`];
  return figure(title, drawn(result.map, limit, "signed"), [...lines, ...magnification(unit, limit)]);
}

/**
 * A gradient that has vanished is said to be blank: where it is drawn in full colour all the same, that is said, too.
 * @param {string} unit
 * @param {number} limit
 */
function magnification(unit, limit) {
  const most = largest(view.path.gradients);
  if (unit !== "F per unit of a pixel" || !limit || limit >= FAINT * most) return [];
  return [`magnified ×${plain(Number((most / limit).toPrecision(2)))}: on the path the gradient reaches ${number(most)}`];
}

/**
 * @param {string} title
 * @param {string | null} source of the drawing
 * @param {string[]} lines
 */
const figure = (title, source, lines) =>
  element(
    "figure",
    {},
    source === null ? null : element("img", { src: source, alt: `${title}: ${lines[0]}`, width: SIZE, height: SIZE }),
    element("figcaption", {}, element("b", { text: title }), ...lines.flatMap((text) => [element("br"), text]))
  );

/**
 * @param {number[]} values
 * @param {number} limit
 * @param {"grey" | "signed"} kind
 */
function drawn(values, limit, kind) {
  const canvas = element("canvas", { width: SIZE, height: SIZE });
  paintMap(/** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")), SIZE, values, limit, { kind, numbers: true, lines: true, theme: "light", ratio: 1 });
  return canvas.toDataURL("image/png");
}
