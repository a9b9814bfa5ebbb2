// The second tab: Integrated Gradients step by step, the completeness gauge, and the two charts along the path.

import { outputName, pixelInView, score } from "../core/derived.js";
import { byId, element, write } from "../core/dom.js";
import { on } from "../core/events.js";
import { place } from "../core/grid.js";
import { number, percent, signed } from "../core/numbers.js";
import { nearestStep } from "../core/path.js";
import { hasAnswer, view } from "../core/store.js";
import { addCursor, calmAxis, drawChart } from "../draw/chart.js";
import { ink, signColours } from "../draw/colours.js";
import { PixelMap } from "../draw/map.js";
import { goToStep } from "./playback.js";

/** @import { Answer, Path } from "../types.js" */

const REST = 100; // ms of rest on a pixel before its chart is drawn, so that sweeping and painting stay light
const NOTHING = new Float32Array(64);

let resting = 0;
/** @type {Record<"baseline" | "interpolated" | "gradient" | "running", PixelMap>} */
let maps;
/** @type {Record<"fill" | "progress" | "step" | "sum" | "result" | "goal", HTMLElement>} */
let gauge;
/** @type {((alpha: number) => void)[]} */
let moveCursors = []; // of the path's chart, of the pixel's
const between = new Float64Array(64); // the interpolated input, reused by every frame

export function start() {
  const host = byId("integrated-maps");
  const map = (/** @type {string} */ name, /** @type {string} */ title, /** @type {"grey" | "signed"} */ kind) => new PixelMap(host, { name, title, kind });
  maps = {
    baseline: map("baseline", "Baseline x′", "grey"),
    interpolated: map("interpolated", "x′ + α (x − x′)", "grey"),
    gradient: map("step-gradient", "Gradient here", "signed"),
    running: map("running", "Accumulated", "signed"),
  };
  buildGauge();
  moveCursors = ["path-chart", "pixel-chart"].map((id) => addCursor(byId(id), scrubTo));
  on("step", () => isShown() && drawStep());
  on("pixel", () => {
    clearTimeout(resting);
    resting = window.setTimeout(() => isShown() && hasAnswer() && drawPixelChart(), REST);
  });
}

const isShown = () => view.state.tab === "integrated";

/** @param {number} alpha */
function scrubTo(alpha) {
  if (hasAnswer()) goToStep(nearestStep(view.path.alphas, alpha));
}

function buildGauge() {
  gauge = {
    fill: element("i", { class: "gauge-fill" }),
    progress: element("i", { class: "progress-fill" }),
    step: element("span", { class: "gauge-step" }),
    sum: element("span", { class: "gauge-sum" }),
    result: element("p", { class: "gauge-result" }),
    goal: element("i", { class: "gauge-goal" }),
  };
  byId("gauge").append(
    element("div", { class: "gauge-row" }, element("span", { class: "gauge-label", text: "Path" }), element("div", { class: "bar" }, gauge.progress), gauge.step),
    element(
      "div",
      { class: "gauge-row" },
      element("span", { class: "gauge-label", text: "Σ of ΔF" }),
      element("div", { class: "bar bar-gauge" }, gauge.fill, gauge.goal),
      gauge.sum
    ),
    gauge.result
  );
}

export function draw() {
  const { path, answer } = view;
  maps.baseline.set(answer.baseline, 1);
  maps.baseline.describe({ figure: `F = ${score(answer.f.baseline)}` });
  // over a piece a probability's gradient is not one number: what is shown is its mean
  write(maps.gradient.title, view.asked.rule === "exact" ? "Mean gradient" : "Gradient here");
  drawPathChart(path);
  drawPixelChart();
  drawStep();
}

/** One frame: three maps, two bars, two cursors, four texts. */
function drawStep() {
  const { path, answer, step } = view;
  const alpha = path.alphas[step];
  for (let i = 0; i < 64; i++) between[i] = (1 - alpha) * answer.baseline[i] + alpha * path.input[i];
  maps.interpolated.set(between, 1);
  maps.interpolated.describe({ note: `α = ${alpha.toFixed(3)}`, figure: `F = ${score(path.values[step])}` });
  maps.gradient.set(step ? path.gradientAt(step) : NOTHING, path.steepest);
  maps.gradient.describe({ caption: step ? `${unit()} ${step}, weight ${number(path.weights[step - 1])}` : "before the first step" });
  maps.running.set(path.running.subarray(64 * step, 64 * step + 64), path.limit);
  maps.running.describe({ caption: step === path.count ? "finished" : `after ${step} of ${path.count} ${unit()}s` });
  drawGauge(path, answer, step, alpha);
  moveCursors[0](alpha);
  moveCursors[1](path.reached[step]); // there each step is as wide as it weighs
}

const unit = () => (view.asked.rule === "exact" ? "piece" : "step");

/**
 * @param {Path} path
 * @param {Answer} answer
 * @param {number} step
 * @param {number} alpha
 */
function drawGauge(path, answer, step, alpha) {
  const finished = answer.methods.integrated_gradients;
  const goal = answer.f.delta;
  const none = finished.share === null; // F is the same at both ends: nothing to reach
  const sum = path.sums[step];
  const share = none ? 0 : sum / goal;
  gauge.progress.style.transform = `scaleX(${step / path.count})`;
  gauge.fill.style.transform = `scaleX(${Math.max(0, Math.min(1.25, share)) / 1.25})`;
  gauge.goal.hidden = none;
  write(gauge.step, `${unit()} ${step} of ${path.count}, α = ${alpha.toFixed(3)}`);
  write(gauge.sum, `Σ = ${number(sum)} of ΔF = ${number(goal)}${none ? "" : ` (${(100 * share).toFixed(1)} %)`}`);
  const missed = none ? "" : ` (${percent(finished.share)} of ΔF)`;
  write(
    gauge.result,
    step < path.count
      ? `The sum is finished when every ${unit()} is in.`
      : `Finished: Σ − ΔF = ${signed(finished.delta)}${missed}.${errorSentence(answer.exact)}`
  );
}

/**
 * Against the exact map, once it is here.
 * @param {Answer["exact"]} exact
 */
const errorSentence = (exact) => (exact ? ` Error per pixel against exact: max ${number(exact.error_max)}, mean ${number(exact.error_mean)}.` : "");

/** @param {Path} path */
function drawPathChart({ curve, switches, ends: [first, last] }) {
  if (!curve.length) return; // it is on its way
  write(byId("path-title"), `F = ${outputName()} along the path`);
  const counted = `${switches.length} ReLU switch${switches.length === 1 ? "" : "es"}`;
  const ticks = switches.length ? `Ticks: ${counted}. ` : "";
  write(byId("path-note"), `${ticks}Drag to move along the path.`);
  const figure = {
    x: curve.map((_, i) => i / (curve.length - 1)),
    y: curve,
    axis: calmAxis(Math.min(...curve), Math.max(...curve), 0.15),
    colour: ink("--accent"),
    switches,
  };
  drawChart(byId("path-chart"), figure, `F along the path, from ${score(first)} at the baseline to ${score(last)} at the input; ${counted}`);
}

/** The integrand of one pixel as the rule sees it: each step as wide as its weight, so that the area is the attribution. */
function drawPixelChart() {
  clearTimeout(resting);
  const { path, answer } = view;
  const pixel = pixelInView();
  const trapezoid = view.asked.rule === "trapezoid";
  const heights = Array.from(answer.path.weights, (_, k) => path.difference[pixel] * path.gradients[64 * k + pixel]);
  const x = trapezoid ? path.alphas : path.reached;
  const y = trapezoid ? heights : [...heights, heights[heights.length - 1]];
  const area = answer.methods.integrated_gradients.map[pixel];
  const name = place(pixel);
  write(byId("pixel-title"), `(x − x′) ∂F/∂x of ${name}`);
  write(byId("pixel-area"), `whole area = attribution = ${signed(area)}${answer.exact ? `, exact ${signed(answer.exact.map[pixel])}` : ""}`);
  const { minus, plus } = signColours();
  const axis = calmAxis(Math.min(0, ...heights), Math.max(0, ...heights), 0);
  const figure = { x, y, axis, colour: area < 0 ? minus : plus, steps: !trapezoid, area: true };
  drawChart(byId("pixel-chart"), figure, `The integrand of ${name} along the path; its area is the attribution, ${signed(area)}`);
}
