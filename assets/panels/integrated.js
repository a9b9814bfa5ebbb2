// The tab Integrated Gradients: the path, the gradient at each step and their sum, over one axis.

import { className, figureOfF, outputName, pixelInView, startName } from "../core/derived.js";
import { byId, element, write } from "../core/dom.js";
import { on } from "../core/events.js";
import { place } from "../core/grid.js";
import { largest, number, percent, shareOfWay, signed } from "../core/numbers.js";
import { nearestStep } from "../core/path.js";
import { hasAnswer, markedPixel, view } from "../core/store.js";
import { addCursor, alongPath, calmAxis, drawChart, pathAxis } from "../draw/chart.js";
import { ink, signColours } from "../draw/colours.js";
import { PixelMap } from "../draw/map.js";
import { Strip } from "../draw/strip.js";
import { goToStep } from "./playback.js";

/** @import { Label } from "../draw/chart.js" */

const REST = 100; // ms of rest on a pixel before its chart is drawn, so that sweeping and painting stay light
const PEAK = 0.95; // of the chart's height, for the largest gradient

let resting = 0;
/** @type {Record<"baseline" | "interpolated" | "gradient" | "sum", PixelMap>} */
let maps;
/** @type {Strip} */
let strip;
/** @type {HTMLElement} */
let fill;
/** @type {((alpha: number) => void)[]} */
let moveCursors = []; // of the timeline, of the pixel's chart
const NOTHING = new Float32Array(64);
const between = new Float64Array(64); // the interpolated input, reused by every frame

export function start() {
  maps = {
    baseline: new PixelMap(byId("map-baseline"), { name: "baseline", title: "Start from", term: ["baseline", "x′"], kind: "grey", plain: true }),
    interpolated: new PixelMap(byId("map-interpolated"), { name: "interpolated", title: "Now", term: ["alpha", "α"], kind: "grey", plain: true }),
    gradient: new PixelMap(byId("map-gradient"), { name: "step-gradient", title: "Gradient here", term: ["gradient", "∂F/∂x"], kind: "signed", magnifies: true }),
    sum: new PixelMap(byId("map-sum"), { name: "integrated_gradients", title: "Sum", kind: "signed" }),
  };
  maps.gradient.onmagnify = describeGradient;
  strip = new Strip(byId("strip"));
  fill = element("i", { class: "sum-fill" });
  byId("sum-bar").append(fill);
  moveCursors = [addCursor(byId("plot"), scrubTo), addCursor(byId("pixel-chart"), scrubTo)];
  byId("half").addEventListener("change", showHalf);
  showHalf();
  on("step", () => {
    if (!isShown()) return;
    maps.gradient.magnify(false); // another step has another size
    drawStep();
  });
  on("answer", () => maps.gradient.magnify(false)); // the sentence says what is seen unmagnified
  on("pixel", () => {
    clearTimeout(resting);
    resting = window.setTimeout(() => isShown() && hasAnswer() && drawPixelChart(), REST);
  });
}

const isShown = () => view.state.tab === "integrated";

/** On narrow screens one of the two maps stands beside the picture. */
function showHalf() {
  document.body.dataset.half = /** @type {HTMLInputElement} */ (byId("half").querySelector("input:checked")).value;
}

/** @param {number} alpha */
function scrubTo(alpha) {
  if (hasAnswer()) goToStep(nearestStep(view.path.alphas, alpha));
}

export function draw() {
  const { answer, asked, config } = view;
  maps.baseline.set(answer.baseline, 1);
  maps.baseline.describe({ note: config.baselines[asked.baseline], figure: figureOfF(answer.f.baseline), caption: `for “${className(answer.target)}”` });
  write(byId("path-from"), startName());
  drawTimeline();
  drawPixelChart();
  drawStep();
}

const isProbability = () => view.asked.output === "probability";

const unit = () => (view.asked.rule === "exact" ? "piece" : "step");

/** One frame: three maps, a bar, two cursors and some texts. */
function drawStep() {
  const { path, answer, step } = view;
  const alpha = path.alphas[step];
  const finished = step === path.count;
  document.body.classList.toggle("midway", !finished);
  for (let i = 0; i < 64; i++) between[i] = (1 - alpha) * answer.baseline[i] + alpha * path.input[i];
  maps.interpolated.set(between, 1);
  maps.interpolated.describe({ note: `= ${alpha.toFixed(2)}`, figure: figureOfF(path.values[step]), caption: finished ? "your picture" : `${shareOfWay(alpha)} of the way` });
  // over a piece a probability's gradient is not one number: what is shown is its mean
  write(maps.gradient.title, view.asked.rule === "exact" && !finished ? "Mean gradient" : "Gradient here");
  maps.gradient.set(isAsked() ? path.gradientAt(step) : NOTHING, path.scale);
  describeGradient();
  maps.sum.set(path.running.subarray(64 * step, 64 * step + 64), path.limit);
  maps.sum.describe({ note: finished ? "= Integrated Gradients" : "so far", figure: `Σ = ${sumText(path.sums[step])}`, caption: finished ? `+ raised, − lowered ${isProbability() ? "P" : "the logit"}` : collected() });
  drawGauge();
  moveCursors[0](alpha);
  moveCursors[1](path.reached[step]); // there each step is as wide as it weighs
}

/** Whether the gradient is known here: before the first step only the trapezoid rule asks for it. */
const isAsked = () => view.step > 0 || view.asked.rule === "trapezoid";

function describeGradient() {
  const { gradient } = maps;
  if (!isAsked()) return gradient.describe({ figure: "–", caption: "no step yet" });
  gradient.describeSize(`${isProbability() ? "P" : "logit"} per unit of a pixel`);
}

/** @param {number} sum */
const sumText = (sum) => (Math.abs(sum) < 1 && Math.abs(sum) >= 0.001 ? sum.toFixed(3).replace("-", "−") : number(sum));

/** How much of ΔF the steps so far add up to. */
function collected() {
  const { path, answer, step } = view;
  const none = answer.methods.integrated_gradients.share === null;
  return none ? `${step} of ${path.count} ${unit()}s` : `${percent(path.sums[step] / answer.f.delta)} of ΔF collected`;
}

function drawGauge() {
  const { path, answer, step } = view;
  const { share, delta } = answer.methods.integrated_gradients;
  const goal = answer.f.delta;
  const finished = step === path.count;
  const reached = share === null ? 0 : path.sums[step] / goal;
  fill.style.transform = `scaleX(${Math.max(0, Math.min(1, reached))})`;
  write(byId("sum-shown"), `Σ = ${sumText(path.sums[step])}`);
  const over = reached > 1;
  const off = percent(Math.abs(1 - reached));
  const missed = share === null ? "F is the same at both ends." : over ? `Σ is ${off} too large` : `${finished ? "Missing" : "Still missing"}: ${off}`;
  const steps = share === null ? "" : finished ? ` (${path.count} ${unit()}${path.count === 1 ? "" : "s"}).` : ".";
  write(byId("sum-note"), `ΔF = ${sumText(goal)}. ${finished && share !== null && Math.abs(delta) < 1e-11 ? `Missing: nothing, to rounding${steps}` : `${missed}${steps}`}`);
}

/** The gradients, F and the size of the gradient along the path. */
function drawTimeline() {
  const { path, answer, asked } = view;
  strip.set({ alphas: answer.path.alphas, mapAt: (k) => path.gradients.subarray(64 * k, 64 * k + 64), limit: path.scale });
  const { curve, switches, ends, sizes, steepest } = path;
  write(byId("path-title"), `F = ${outputName()} along the path`);
  const counted = answer.exact ? `${switches.length} ReLU switch${switches.length === 1 ? "" : "es"}` : "no switches are known for this network";
  byId("path-note").classList.toggle("needless", !switches.length);
  const axis = pathAxis(isProbability(), curve, [0, 0.5, 1], 0);
  const [low, high] = axis.range;
  // where its height is that of the picture: never a second scale that could be read off
  const behind = steepest ? { x: sizes.x, y: sizes.y.map((size) => (size / steepest) * PEAK * Math.max(high, 0)) } : undefined;
  const figure = { ...alongPath(curve), axis, colour: ink("--ink"), switches, behind, labels: labelsOf(curve, sizes, low, high) };
  drawChart(byId("path-chart"), figure, `F along the path, from ${figureOfF(ends[0])} at the baseline to ${figureOfF(ends[1])} at your picture; the gradient is largest at α = ${sizes.x[sizes.y.indexOf(Math.max(...sizes.y))].toFixed(2)}${asked.rule === "exact" ? "" : ` of ${path.count} steps`}; ${counted}`);
}

/**
 * The names of the two curves, where they hide little of them.
 * @param {number[]} curve
 * @param {{ x: number[], y: number[] }} sizes
 * @param {number} low of the axis
 * @param {number} high
 * @returns {Label[]}
 */
function labelsOf(curve, sizes, low, high) {
  const at = (/** @type {number} */ share) => low + share * (high - low);
  const end = (curve[curve.length - 1] - low) / (high - low);
  const most = Math.max(...sizes.y);
  const peak = sizes.x[sizes.y.indexOf(most)];
  const early = peak < 0.5;
  const beside = Math.max(0, Math.min(1, peak + (early ? 0.08 : -0.08)));
  return [
    { text: outputName(), x: 0.99, y: at(end), dy: end > 0.5 ? 16 : -16, colour: ink("--ink"), align: "right" },
    ...(most ? [{ text: window.innerWidth < 700 ? "size of the gradient" : "size of the gradient (own scale)", x: beside, y: at(0.42), colour: ink("--accent"), align: /** @type {CanvasTextAlign} */ (early ? "left" : "right") }] : []),
  ];
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
  write(byId("pixel-title"), markedPixel() === null ? "Strongest pixel" : "Marked pixel");
  write(byId("pixel-area"), `${name}: area = ${signed(area)}`);
  const { minus, plus } = signColours();
  const axis = calmAxis(Math.min(0, ...heights), Math.max(0, ...heights), 0);
  const figure = { x, y, axis, colour: area < 0 ? minus : plus, steps: !trapezoid, area: true };
  drawChart(byId("pixel-chart"), figure, `(x − x′) ∂F/∂x of ${name} along the path; its area is the attribution, ${signed(area)}; at most ${number(largest(heights))}`);
}
