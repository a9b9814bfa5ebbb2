// The third tab: the pinned methods side by side, on their own scales or on one, with bars and rank correlations.

import { byId, element } from "../core/dom.js";
import { emit, on } from "../core/events.js";
import { correlationOf, hasOptions, readings, resultOf, wantMethods, whenQuiet } from "../core/method_results.js";
import { correlation, largest, number, plain, signed } from "../core/numbers.js";
import { commitLooks, update } from "../core/session.js";
import { hasAnswer, hasStarted, view } from "../core/store.js";
import { drawChart } from "../draw/chart.js";
import { ink } from "../draw/colours.js";
import { PixelMap } from "../draw/map.js";

/** @import { Refusal, Result, State } from "../types.js" */

const NOTHING = new Array(64).fill(0);

/** @type {Map<string, PixelMap>} */
const maps = new Map(); // by method, those that are pinned

export function start() {
  on("state", (patch) => patch.pinned && hasAnswer() && isShown() && draw());
  on("methods", (names) => names !== null && isShown() && draw());
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
  if (hasAnswer() && isShown()) drawMaps();
}

const titleOf = (/** @type {string} */ name) => view.config.methods[name].title;

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
  drawBars();
  drawCorrelations();
  emit("sentence");
  askForMissing();
}

/** What the explanation does not hold is asked for when the picture rests. */
function askForMissing() {
  const missing = () => view.state.pinned.filter((name) => !resultOf(name));
  if (missing().length) whenQuiet(() => isShown() && wantMethods(missing()));
}

function hostMaps() {
  const { pinned } = view.state;
  const host = byId("compare-maps");
  if ([...maps.keys()].join() === pinned.join()) return;
  maps.forEach((map) => map.remove());
  maps.clear();
  pinned.forEach((name) => {
    const { title, paper, formula } = view.config.methods[name];
    const map = new PixelMap(host, { name, title, kind: "signed", onselect: (self) => emit("enlarge", self) });
    map.title.title = `${formula} (${paper})`;
    map.surface.classList.add("opens");
    maps.set(name, map);
  });
  host.style.setProperty("--pinned", String(pinned.length));
}

/** @param {string} name */
function noteOf(name) {
  const { answer, asked, config } = view;
  const notes = /** @type {Record<string, string>} */ ({
    gradient: "∂F/∂x at the picture",
    integrated_gradients: `${asked.baseline} baseline, ${asked.rule === "exact" ? "exact" : `m = ${asked.steps}, ${asked.rule}`}`,
    smoothgrad: `${asked.samples} samples, σ = ${plain(answer.smoothgrad.sigma)}`,
  });
  if (hasOptions(name)) return "with settings of its own";
  const unit = config.methods[name].explains === "logit" && asked.output === "probability" ? ", of the logit" : "";
  return notes[name] ?? `${config.methods[name].paper}${unit}`;
}

/**
 * Against ΔF for those that the explanation holds, against its own promise for any other.
 * @param {Result} result
 */
function figuresOf(result) {
  const expected = result.expected_sum ?? view.answer.f.delta;
  const sum = `Σ − ${expected === view.answer.f.delta ? "ΔF" : `goal ${number(expected)}`} = ${signed(result.total - expected)}`;
  return `SNR ${number(result.snr)}\n${sum}`;
}

function drawMaps() {
  const { answer, state } = view;
  /** @type {(name: string) => Result | Refusal | undefined} */
  const shownOf = (name) => (state.options[name] ? undefined : answer.methods[name]) ?? resultOf(name);
  const limits = Object.fromEntries(state.pinned.map((name) => [name, largest(shownOf(name)?.map ?? [0])]));
  const shared = Math.max(...Object.values(limits));
  maps.forEach((map, name) => {
    const result = shownOf(name);
    map.root.classList.toggle("waiting", !result);
    map.root.classList.toggle("refused", Boolean(result?.refusal));
    map.set(result?.map ?? NOTHING, state.scale === "unit" ? shared : limits[name]);
    map.describe({ note: noteOf(name), caption: !result ? "on its way…" : result.map ? figuresOf(result) : result.refusal });
  });
}

/**
 * What is to be said of the pinned ones, where the server's words, which are on gradient, Integrated Gradients and
 * SmoothGrad as the page has them, do not fit.
 */
export function sentence() {
  const { pinned } = view.state;
  const { compared } = view.config;
  if (compared.every((name) => pinned.includes(name) && !hasOptions(name))) return null;
  return sentenceFor(pinned, pinned.map(resultOf));
}

/**
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
  const logit = pinned.filter((name) => view.config.methods[name].explains === "logit" && view.asked.output === "probability").map(titleOf);
  const unit = logit.length ? ` ${logit.join(" and ")} speak${logit.length > 1 ? "" : "s"} of the logit, so sizes are not to be compared with the others.` : "";
  return known.length > 1
    ? `The pixels are ranked most alike by ${said(best)}, least alike by ${said(worst)}: rank correlation 1 is the same order, 0 no common order.${unit}`
    : `The rank correlation is that of ${said(best)}: 1 is the same order, 0 no common order.${unit}`;
}

function drawBars() {
  const bars = ready();
  const figure = { names: bars.map(({ title }) => title), values: bars.map(({ mean }) => mean), colour: ink("--accent") };
  drawChart(byId("mean-chart"), figure, `Mean absolute attribution: ${bars.map(({ title, mean }) => `${title} ${number(mean)}`).join(", ")}`);
}

function drawCorrelations() {
  const shown = ready();
  const cell = (/** @type {string} */ one, /** @type {string} */ two) => {
    const value = correlationOf(one, two);
    return value === undefined ? "…" : value === null ? "flat" : correlation(value);
  };
  const head = element("tr", {}, element("td"), ...shown.map(({ title }) => element("th", { scope: "col", text: title })));
  const rows = shown.map((one) =>
    element("tr", {}, element("th", { scope: "row", text: one.title }), ...shown.map((two) => element("td", { text: cell(one.name, two.name), translate: "no" })))
  );
  byId("correlations").replaceChildren(element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)));
}
