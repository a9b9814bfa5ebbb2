// The tab Compare: the pinned methods side by side, those of one unit on one scale, and under each map where the method asks.

import { outputName, startName } from "../core/derived.js";
import { byId, element, write } from "../core/dom.js";
import { emit, on } from "../core/events.js";
import { correlationOf, explainedBy, hasOptions, readings, resultOf, shownOf, unitOf, wantMethods, whenQuiet } from "../core/method_results.js";
import { bound, correlation, largest, number, plain, sentenceText, signed } from "../core/numbers.js";
import { commitLooks, update } from "../core/session.js";
import { hasAnswer, hasStarted, view } from "../core/store.js";
import { alongPath, drawChart, pathAxis } from "../draw/chart.js";
import { ink } from "../draw/colours.js";
import { FAINT, PixelMap } from "../draw/map.js";

/** @import { Refusal, Result, State, Told } from "../types.js" */

/** @typedef {{ map: PixelMap, adds: HTMLElement, fill: HTMLElement, sum: HTMLElement, figures: HTMLElement, chart: HTMLElement, asks: HTMLElement, network: string }} Cell */

const NOTHING = new Array(64).fill(0);
const SLOPE = "F per unit of a pixel";
const NEAR = ["gradient", "gradient_times_input", "smoothgrad"]; // look at the picture, or at noisy copies of it

/** @type {Map<string, Cell>} */
const cells = new Map(); // by method, those that are pinned
/** @type {Map<string, HTMLElement>} */
const heads = new Map(); // by unit: the words about the scale

export function start() {
  on("state", (patch) => {
    if (patch.network) cells.forEach(({ map }) => map.clear()); // no old map under a new name
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
 * The unit of a method's map, with what it explains in place of F.
 * @param {string} name
 */
const shownUnit = (name) => unitOf(name).replace("F", explainedBy(name)) || `No unit (${titleOf(name)})`;

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
  const groups = new Map(pinned.map((name) => [shownUnit(name), /** @type {string[]} */ ([])]));
  pinned.forEach((name) => groups.get(shownUnit(name))?.push(name));
  const wanted = JSON.stringify([...groups]);
  if (wanted === hosted) return;
  hosted = wanted;
  const controls = byId("smoothgrad-controls");
  byId("compare-maps").after(controls); // out of what is taken away now
  cells.forEach(({ map }) => map.remove());
  cells.clear();
  heads.clear();
  byId("compare-maps").style.setProperty("--count", String(pinned.length));
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
  const title = unit === "P" ? "Amounts of P" : unit === "logit" ? "Amounts of the logit" : unit;
  const head = element("div", { class: "head" }, element("h3", { text: title }), scale);
  const section = element("section", { class: `unit ${names.length === 1 ? "alone" : ""}` }, head, ...names.map(cell));
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

function drawMaps() {
  const { state, path } = view;
  const own = state.scale === "own";
  byId("compare-maps").classList.toggle("own", own);
  /** @type {Map<string, number>} */
  const limits = new Map();
  cells.forEach((_, name) => {
    const unit = shownUnit(name);
    const size = largest(shownOf(name)?.map ?? [0]);
    // slopes of F are on the scale of the path, so that what has vanished is blank
    const least = unitOf(name) === SLOPE && methods()[name].explains === "F" ? path.scale : 0;
    limits.set(unit, Math.max(limits.get(unit) ?? 0, size, least));
  });
  heads.forEach((scale, unit) => write(scale, own ? "" : `one scale: ±${bound(limits.get(unit) ?? 0)}`));
  write(byId("scale-note"), own ? "Each map has its own scale: sizes cannot be compared." : "Maps with one unit share a scale, so their sizes can be compared.");
  cells.forEach((cell, name) => {
    const { map } = cell;
    const result = shownOf(name);
    map.root.classList.toggle("waiting", !result);
    map.root.classList.toggle("refused", Boolean(result?.refusal));
    if (result || cell.network !== state.network) map.set(result?.map ?? NOTHING, own ? largest(result?.map ?? [0]) : limits.get(shownUnit(name)) ?? 0);
    cell.network = state.network;
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
  map.describeSize(meaningOf(name), noteOf(name));
}

/**
 * What the colours mean. Only what sums to a difference of F says what raised it.
 * @param {string} name
 */
function meaningOf(name) {
  if (unitOf(name) !== "F") return unitOf(name) ? shownUnit(name) : "no unit";
  const f = explainedBy(name) === "P" ? "P" : "the logit";
  return methods()[name].complete.includes("F(x") ? `+ raised, − lowered ${f}` : `in units of ${f}`;
}

/** @param {string} name */
function noteOf(name) {
  if (hasOptions(name)) return "with settings of its own";
  return view.config.core.includes(name) ? "" : methods()[name].paper;
}

/**
 * What the map sums to, against what it should: ΔF unless the method promises another sum.
 * @param {Cell} cell
 * @param {string} name
 * @param {Result | Refusal | undefined} result
 */
function drawSum({ adds, fill, sum, figures }, name, result) {
  const promised = result?.map ? result.expected_sum ?? null : null;
  const addsUp = unitOf(name) === "F" && (promised !== null || view.config.core.includes(name));
  adds.classList.toggle("needless", !addsUp || !result?.map);
  if (!result?.map) return write(figures, "");
  const expected = promised ?? view.answer.f.delta;
  const goal = expected === view.answer.f.delta ? "ΔF" : "the goal";
  write(sum, `Σ ${number(result.total)} of ${goal} ${number(expected)}`);
  fill.style.transform = `scaleX(${expected ? Math.max(0, Math.min(1, result.total / expected)) : 0})`;
  write(figures, `concentration ${number(result.snr)}${addsUp ? `\nΣ − ${goal} = ${signed(result.total - expected, 2)}` : ""}`);
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
  const axis = pathAxis(isProbability, curve, [0, 1], 0.05);
  const labels = name === view.state.pinned[0] ? [{ text: `${isProbability ? "P" : "logit"} on the way`, x: 0.97, y: (answer.f.input + answer.f.baseline) / 2, colour: ink("--ink-soft"), align: /** @type {const} */ ("right") }] : [];
  drawChart(chart, { ...alongPath(curve), axis, colour: ink("--line-strong"), dots, labels }, `${outputName()} on the way: ${text}`);
}

/**
 * Points of the curve; noisy copies of the picture are no points of the path, and drawn about its end.
 * @param {string} name
 */
function dotsOf(name) {
  const { path, answer } = view;
  const end = path.ends[1];
  const { asks_at: place } = methods()[name];
  if (place === "picture") return { x: [1], y: [end] };
  if (place === "path" && !hasOptions(name)) return { x: answer.path.alphas, y: answer.path.values };
  if (place === "copies") {
    const shown = Math.min(samplesOf(name), 15);
    return { x: Array.from({ length: shown }, (_, i) => (shown === 1 ? 1 : 0.95 + (0.05 * i) / (shown - 1))), y: Array(shown).fill(end) };
  }
  return null;
}

/** @param {string} name */
function asksText(name) {
  const { asked, answer } = view;
  const { asks_at: place, asks, passes } = methods()[name];
  if (asks) return `asks ${asks}`;
  if (place === "picture") return passes.startsWith("1 forward") ? "asks once, at your picture" : "asks only at your picture";
  if (place === "copies") return `asks at ${count(samplesOf(name), "noisy copy", "noisy copies")} of your picture, σ = ${plain(noiseOf(name))}`;
  if (hasOptions(name)) return "asks along the way";
  return asked.rule === "exact"
    ? `asks on each of ${count(view.path.count, "linear piece", "linear pieces")} of the way from ${startName()}`
    : `asks ${count(answer.path.alphas.length, "time", "times")} along the way from ${startName()}`;
}

const count = (/** @type {number} */ n, /** @type {string} */ one, /** @type {string} */ more) => `${n} ${n === 1 ? one : more}`;

/**
 * How many noisy copies of the picture a method takes: with `clean_last` the last one is the picture itself.
 * @param {string} name
 */
function samplesOf(name) {
  const { samples = view.asked.samples, clean_last: clean } = view.state.options[name] ?? {};
  return Number(samples) - (clean ? 1 : 0);
}

/**
 * σ of its noise.
 * @param {string} name
 */
function noiseOf(name) {
  const { noise_level: level = view.asked.noise_level, noise_range: range } = view.state.options[name] ?? {};
  return Number(level) * (range === "picture" ? Math.max(...view.asked.pixels) - Math.min(...view.asked.pixels) : 1);
}

// ---- what is said

/** @returns {Told} */
export function sentence() {
  const { pinned } = view.state;
  const { compared } = view.config;
  const ranks = sentenceFor(pinned, pinned.map(resultOf));
  // the server's sentences are about the core methods as the page's settings have them
  const served = compared.every((name) => pinned.includes(name) && !hasOptions(name)) ? (view.answer.narration.compare ?? []).map(sentenceText) : [];
  const faint = pinned.filter((name) => isNear(name) && cells.get(name)?.map.faint && shownOf(name)?.map);
  const integrated = cells.get("integrated_gradients")?.map;
  const f = view.asked.output === "probability" ? "P" : "the logit";
  const only = pinned.filter((name) => methods()[name].complete).join() === "integrated_gradients";
  if (faint.length && integrated && !integrated.faint && shownOf("integrated_gradients")?.map) {
    const [subject, they] = faint.length === 1 ? [`${titleOf(faint[0])} looks`, "it stays"] : [`${faint.length === 2 ? "Two" : "Three"} methods look`, "they stay"];
    const isFlat = largest(view.answer.methods.gradient.map) < FAINT * view.path.scale;
    const blank = isFlat ? `${capital(f)} is flat there, so ${they} blank.` : `At this scale ${they} blank.`;
    return {
      headline: `${subject} only near the picture. ${blank}`,
      second: `Integrated Gradients looks along the way from ${startName()}.${only ? " Only its attributions must add up to ΔF." : ""}`,
      more: [ranks, ...served],
    };
  }
  return { headline: `Each method asks another question about ${f}.`, second: ranks, more: [...(only ? ["Only Integrated Gradients’ attributions must add up to ΔF."] : []), ...served] };
}

/**
 * Whether it looks at the picture, or at copies of it with no more noise than is usual.
 * @param {string} name
 */
const isNear = (name) => NEAR.includes(name) && !hasOptions(name) && (name !== "smoothgrad" || view.answer.smoothgrad.sigma <= 0.3);

/** @param {string} text */
const capital = (text) => text[0].toUpperCase() + text.slice(1);

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
  if (!known.length) return "No two of these maps can be compared: at most one of them is not flat.";
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
