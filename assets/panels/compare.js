// The tab Compare: the pinned methods side by side, those of one unit on one scale, and under each map where the method asks.

import { outputName, startName } from "../core/derived.js";
import { byId, element, write } from "../core/dom.js";
import { emit, on } from "../core/events.js";
import { correlationOf, hasOptions, readings, resultOf, wantMethods, whenQuiet } from "../core/method_results.js";
import { bound, correlation, largest, number, plain, sentenceText, signed } from "../core/numbers.js";
import { commitLooks, update } from "../core/session.js";
import { hasAnswer, hasStarted, view } from "../core/store.js";
import { calmAxis, drawChart } from "../draw/chart.js";
import { ink } from "../draw/colours.js";
import { PixelMap } from "../draw/map.js";

/** @import { Refusal, Result, State, Told } from "../types.js" */

/** @typedef {{ map: PixelMap, adds: HTMLElement, fill: HTMLElement, sum: HTMLElement, figures: HTMLElement, chart: HTMLElement, asks: HTMLElement, network: string }} Cell */

const NOTHING = new Array(64).fill(0);
const SLOPE = "F per unit of a pixel";
const NEAR = ["gradient", "gradient_times_input", "smoothgrad"]; // look at the picture, or at copies of it

/** @type {Map<string, Cell>} */
const cells = new Map(); // by method, those that are pinned
/** @type {Map<string, HTMLElement>} */
const heads = new Map(); // by unit: the words about the scale

export function start() {
  on("state", (patch) => {
    if (patch.network) cells.forEach(clear); // no old map under a new name
    if (patch.pinned && hasAnswer() && isShown()) draw();
  });
  on("methods", (names) => names !== null && isShown() && draw());
  byId("alike").addEventListener("toggle", () => hasAnswer() && drawAlike());
}

const isShown = () => view.state.tab === "compare";

/**
 * Dash calls this when the scale is switched.
 * @param {State["scale"]} scale
 */
export function scaleChanged(scale) {
  if (!hasStarted() || scale === view.state.scale) return;
  update({ scale });
  commitLooks();
  if (!hasAnswer() || !isShown()) return;
  drawMaps();
  emit("sentence");
}

const methods = () => view.config.methods;

const titleOf = (/** @type {string} */ name) => methods()[name].title;

/**
 * The unit of a method's map, with the output in place of F: what is explained may be the logit whatever is chosen.
 * @param {string} name
 */
function unitOf(name) {
  const { unit, explains } = methods()[name];
  const f = explains === "logit" || view.asked.output === "logit" ? "logit" : "P";
  return unit ? unit.replace("F", f) : `no unit (${titleOf(name)})`;
}

/**
 * What is known of a method's map; the explanation's own comes first, as it is of this very picture.
 * @param {string} name
 * @returns {Result | Refusal | undefined}
 */
const shownOf = (name) => (view.state.options[name] ? undefined : view.answer.methods[name]) ?? resultOf(name);

/** The pinned methods whose maps are there. */
const ready = () =>
  view.state.pinned.flatMap((name) => {
    const result = resultOf(name);
    return result?.map ? [{ name, title: titleOf(name), mean: result.mean }] : [];
  });

/** @param {number} pixel */
export const valuesAt = (pixel) => readings(view.state.pinned, pixel);

export function draw() {
  hostMaps();
  drawMaps();
  drawAlike();
  emit("sentence");
  askForMissing();
}

/** What the explanation does not hold is asked for when the picture rests. */
function askForMissing() {
  const missing = () => view.state.pinned.filter((name) => !resultOf(name));
  if (missing().length) whenQuiet(() => isShown() && wantMethods(missing()));
}

// ---- the maps, in groups of one unit

/** @type {string} */
let hosted = "";

function hostMaps() {
  const { pinned } = view.state;
  const groups = new Map(pinned.map((name) => [unitOf(name), /** @type {string[]} */ ([])]));
  pinned.forEach((name) => groups.get(unitOf(name))?.push(name));
  const wanted = JSON.stringify([...groups]);
  if (wanted === hosted) return;
  hosted = wanted;
  const controls = byId("smoothgrad-controls");
  byId("compare-maps").after(controls); // out of what is taken away now
  cells.forEach(({ map }) => map.remove());
  cells.clear();
  heads.clear();
  byId("compare-maps").replaceChildren(...[...groups].map(([unit, names]) => group(unit, names)));
  const smooth = cells.get("smoothgrad");
  controls.hidden = !smooth;
  smooth?.map.root.parentElement?.append(controls);
}

/**
 * @param {string} unit
 * @param {string[]} names
 */
function group(unit, names) {
  const scale = element("span", { class: "quiet", translate: "no" });
  heads.set(unit, scale);
  const title = /^(P|logit)$/.test(unit) ? `${unit}: shares of ΔF` : unit;
  const maps = element("div", { class: "unit-maps" }, ...names.map(cell));
  const section = element("section", { class: "unit" }, element("div", { class: "head" }, element("h3", { text: title }), scale), maps);
  section.style.setProperty("--count", String(names.length));
  return section;
}

/** @param {string} name */
function cell(name) {
  const { title, paper, formula } = methods()[name];
  const root = element("div", { class: "compared" });
  const map = new PixelMap(root, { name, title, kind: "signed", magnifies: true });
  map.title.title = `${formula} (${paper})`;
  map.onmagnify = () => describe(name);
  const fill = element("i", { class: "sum-fill" });
  const sum = element("span", { translate: "no" });
  const adds = element("p", { class: "adds" }, sum, element("span", { class: "bar" }, fill));
  const figures = element("p", { class: "quiet figures", translate: "no" });
  const chart = element("div", { class: "chart looks" });
  const asks = element("p", { class: "quiet" });
  root.append(adds, figures, element("div", { class: "looked" }, chart), asks);
  cells.set(name, { map, adds, fill, sum, figures, chart, asks, network: "" });
  return root;
}

/** @param {Cell} cell */
function clear({ map }) {
  map.set(NOTHING, 0);
  map.describe({});
}

function drawMaps() {
  const { state, path, asked } = view;
  const own = state.scale === "own";
  byId("compare-maps").classList.toggle("own", own);
  /** @type {Map<string, number>} */
  const limits = new Map();
  cells.forEach((_, name) => {
    const unit = unitOf(name);
    const size = largest(shownOf(name)?.map ?? [0]);
    // slopes of F are on the scale of the path, so that what has vanished is blank
    const least = methods()[name].unit === SLOPE && methods()[name].explains === "F" ? path.scale : 0;
    limits.set(unit, Math.max(limits.get(unit) ?? 0, size, least));
  });
  heads.forEach((scale, unit) => write(scale, own ? "" : `one scale: ±${bound(limits.get(unit) ?? 0)}`));
  write(byId("scale-note"), own ? "Each map has its own scale: sizes cannot be compared." : "Maps with one unit share a scale, so their sizes can be compared.");
  cells.forEach((cell, name) => {
    const { map } = cell;
    const result = shownOf(name);
    map.root.classList.toggle("waiting", !result);
    map.root.classList.toggle("refused", Boolean(result?.refusal));
    if (result || cell.network !== asked.network) map.set(result?.map ?? NOTHING, own ? largest(result?.map ?? [0]) : limits.get(unitOf(name)) ?? 0);
    cell.network = asked.network;
    describe(name);
    drawSum(cell, name, result);
    drawLooks(cell, name);
  });
}

/** @param {string} name */
function describe(name) {
  const { map } = /** @type {Cell} */ (cells.get(name));
  const result = shownOf(name);
  if (!result?.map) return map.describe({ note: noteOf(name), caption: result ? result.refusal : "on its way…" });
  const { unit } = methods()[name];
  const signs = unit === "F" ? `+ raised, − lowered ${unitOf(name) === "P" ? "P" : "the logit"}` : unitOf(name);
  const caption = map.magnified !== 1 ? "magnified to be seen" : map.faint ? "too faint at this scale" : signs;
  map.describe({ note: noteOf(name), figure: map.peak ? `at most ${bound(map.peak)}` : "0 everywhere", caption });
}

/** @param {string} name */
function noteOf(name) {
  const { asked } = view;
  if (hasOptions(name)) return "with settings of its own";
  if (name === "integrated_gradients") return `from ${startName()}, ${asked.rule === "exact" ? "exact" : `m = ${asked.steps}, ${asked.rule}`}`;
  return NEAR.includes(name) ? "" : methods()[name].paper;
}

/**
 * What the map sums to, against what it should: ΔF unless the method promises another sum.
 * @param {Cell} cell
 * @param {string} name
 * @param {Result | Refusal | undefined} result
 */
function drawSum({ adds, fill, sum, figures }, name, result) {
  const inF = methods()[name].unit === "F";
  adds.classList.toggle("needless", !inF || !result?.map);
  if (!result?.map) return write(figures, "");
  const expected = result.expected_sum ?? view.answer.f.delta;
  const goal = expected === view.answer.f.delta ? "ΔF" : "the goal";
  write(sum, `Σ ${number(result.total)} of ${goal} ${number(expected)}`);
  fill.style.transform = `scaleX(${expected ? Math.max(0, Math.min(1, result.total / expected)) : 0})`;
  write(figures, `concentration ${number(result.snr)}${inF ? `\nΣ − ${goal} = ${signed(result.total - expected, 2)}` : ""}`);
}

/**
 * Where on the path the method asks for F or its gradient.
 * @param {Cell} cell
 * @param {string} name
 */
function drawLooks({ chart, asks }, name) {
  const { path, asked, answer } = view;
  const text = asksText(name);
  write(asks, text);
  const dots = dotsOf(name);
  /** @type {HTMLElement} */ (chart.parentElement).hidden = !dots;
  if (!dots) return;
  const { curve } = path;
  const isProbability = asked.output === "probability";
  const axis = isProbability ? { range: /** @type {[number, number]} */ ([0, 1.05]), ticks: [0, 1], texts: ["0", "1"] } : calmAxis(Math.min(0, ...curve), Math.max(0, ...curve), 0.05);
  const labels = name === view.state.pinned[0] ? [{ text: `${isProbability ? "P" : "logit"} on the way`, x: 0.97, y: (answer.f.input + answer.f.baseline) / 2, colour: ink("--ink-soft"), align: /** @type {const} */ ("right") }] : [];
  drawChart(chart, { x: curve.map((_, i) => i / (curve.length - 1)), y: curve, axis, colour: ink("--line-strong"), dots, labels }, `${outputName()} on the way: ${text}`);
}

/**
 * Points of the curve; noisy copies of the picture are no points of the path, and drawn about its end.
 * @param {string} name
 */
function dotsOf(name) {
  const { path, asked, answer } = view;
  const end = path.ends[1];
  if (name === "gradient" || name === "gradient_times_input") return { x: [1], y: [end] };
  if (name === "integrated_gradients" && !hasOptions(name)) return { x: answer.path.alphas, y: answer.path.values };
  if (name === "smoothgrad") {
    const shown = Math.min(asked.samples, 15);
    return { x: Array.from({ length: shown }, (_, i) => (shown === 1 ? 1 : 0.95 + (0.05 * i) / (shown - 1))), y: Array(shown).fill(end) };
  }
  return null;
}

/** @param {string} name */
function asksText(name) {
  const { asked, answer } = view;
  if (name === "gradient" || name === "gradient_times_input") return "asks once, at your picture";
  if (name === "smoothgrad") return `asks at ${asked.samples} noisy cop${asked.samples === 1 ? "y" : "ies"} of your picture, σ = ${plain(answer.smoothgrad.sigma)}`;
  if (name === "integrated_gradients" && !hasOptions(name)) {
    const count = view.path.count;
    return asked.rule === "exact" ? `asks on each of ${count} linear piece${count === 1 ? "" : "s"} of the way` : `asks ${answer.path.alphas.length} time${answer.path.alphas.length === 1 ? "" : "s"} along the way`;
  }
  return `costs ${methods()[name].passes}`;
}

// ---- what is said

/** @returns {Told} */
export function sentence() {
  const { pinned } = view.state;
  const { compared } = view.config;
  const ranks = sentenceFor(pinned, pinned.map(resultOf));
  // the server's sentences are about the core methods as the page's settings have them
  const served = compared.every((name) => pinned.includes(name) && !hasOptions(name)) ? (view.answer.narration.compare ?? []).map(sentenceText) : [];
  const faint = pinned.filter((name) => NEAR.includes(name) && cells.get(name)?.map.faint && shownOf(name)?.map);
  const integrated = cells.get("integrated_gradients")?.map;
  const [f, it] = view.asked.output === "probability" ? ["P", "P is"] : ["the logit", "The logit is"];
  if (faint.length && integrated && !integrated.faint && shownOf("integrated_gradients")?.map) {
    const subject = faint.length === 1 ? `${titleOf(faint[0])} looks` : `${faint.length === 2 ? "Two" : "Three"} methods look`;
    return {
      headline: `${subject} only near the picture. ${it} flat there, so ${faint.length === 1 ? "it stays" : "they stay"} blank.`,
      second: `Integrated Gradients looks along the way from ${startName()}. Only its attributions must add up to ΔF.`,
      more: [ranks, ...served],
    };
  }
  return { headline: `Each method asks another question about ${f}.`, second: ranks, more: served };
}

/**
 * How alike the pinned methods rank the pixels.
 * @param {string[]} pinned
 * @param {(Result | Refusal | undefined)[]} results
 */
export function sentenceFor(pinned, results) {
  const applying = results.filter((result) => !result?.refusal);
  if (applying.length < 2) return "Pin two methods that apply to this network to see how alike they rank the pixels.";
  if (applying.some((result) => !result?.map)) return "Some of these maps are on their way.";
  const pairs = pinned.flatMap((one, i) => pinned.slice(i + 1).map((two) => ({ one, two, value: correlationOf(one, two) ?? NaN })));
  const known = pairs.filter(({ value }) => Number.isFinite(value)).sort((a, b) => b.value - a.value);
  if (!known.length) return "No two of these maps can be compared: at most one of them ranks the pixels, the others are flat.";
  const said = (/** @type {typeof known[0]} */ { one, two, value }) => `${titleOf(one)} and ${titleOf(two)} (${correlation(value)})`;
  const [best, worst] = [known[0], known[known.length - 1]];
  return known.length > 1
    ? `The pixels are ranked most alike by ${said(best)}, least alike by ${said(worst)}. Rank correlation 1 is the same order.`
    : `The rank correlation is that of ${said(best)}. 1 is the same order, 0 no common order.`;
}

// ---- how alike they are

function drawAlike() {
  if (!(/** @type {HTMLDetailsElement} */ (byId("alike")).open)) return;
  drawBars();
  drawCorrelations();
}

function drawBars() {
  const bars = ready();
  const figure = { names: bars.map(({ title }) => title), values: bars.map(({ mean }) => mean), colour: ink("--accent") };
  drawChart(byId("mean-chart"), figure, `Mean absolute attribution: ${bars.map(({ title, mean }) => `${title} ${number(mean)}`).join(", ")}`);
}

function drawCorrelations() {
  const shown = ready();
  const text = (/** @type {string} */ one, /** @type {string} */ two) => {
    const value = correlationOf(one, two);
    return value === undefined ? "…" : value === null ? "flat" : correlation(value);
  };
  const head = element("tr", {}, element("td"), ...shown.map(({ title }) => element("th", { scope: "col", text: title })));
  const rows = shown.map((one) =>
    element("tr", {}, element("th", { scope: "row", text: one.title }), ...shown.map((two) => element("td", { text: text(one.name, two.name), translate: "no" })))
  );
  byId("correlations").replaceChildren(element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)));
}
