// The lab saturation: x and x′ are dragged in a curve, or by sliders; everything is computed here, and nothing is asked for.

import { element, write } from "../../core/dom.js";
import { number, percent } from "../../core/numbers.js";
import { labControl } from "../lab_controls.js";
import { drawing } from "./saturation_drawing.js";
import { gradientOf, inside, meanGradient, outputOf } from "./toys.js";

/** @import { LabAnswer, LabHost } from "../../types.js" */
/** @import { Toy } from "./toys.js" */

const STEP = 0.01; // of a slider
const FUNCTIONS = { saturates: "1 − ReLU(1 − x)", threshold: "max(0, x − 0.5)", pair: "min(1, x₁ + x₂)" };
const POINTS = /** @type {const} */ ({ one: [["start", "Baseline x′"], ["x", "Pixel x"]], pair: [["x1", "Pixel x₁"], ["x2", "Pixel x₂"]] });

/** Two decimals, with a true minus sign. */
const short = (/** @type {number} */ value) => (Math.abs(value) < 5e-4 ? "0" : Math.abs(value) < 0.005 ? number(value, 1) : String(Number(value.toFixed(2)))).replace("-", "−");

/** @param {LabHost} lab */
export function build(lab) {
  const steps = labControl(lab, "steps", { text: (m) => `m = ${m}` });
  const area = labControl(lab, "area", { texts: { exact: "exact area", left: "left sum", right: "right sum" } });
  lab.controls.append(
    labControl(lab, "function", { texts: FUNCTIONS }),
    area,
    steps,
    element("p", { class: "lab-note", text: "Drag x and x′ below. Your picture plays no part in this lab." })
  );
  /** @type {LabAnswer | null} */
  let answer = null;

  /** @param {Record<string, number>} patch @param {boolean} done */
  const move = (patch, done) => {
    const high = answer?.toy.high ?? 1;
    const kept = Object.entries(patch).map(([name, value]) => [name, Math.round(Math.min(high, Math.max(0, value)) / STEP) / Math.round(1 / STEP)]);
    lab.set(Object.fromEntries(kept), done);
  };
  const picture = drawing(move);
  const sliders = [...POINTS.one, ...POINTS.pair].map(([name, title]) => pointSlider(`lab-${lab.name}-${name}`, name, title, move));
  const bars = element("div", { class: "toy-bars" });
  const note = element("p", { class: "lab-note" });
  const legend = element("p", { class: "lab-note" });
  lab.figures.append(
    element(
      "div",
      { class: "toy" },
      element("div", {}, picture.root, element("div", { class: "toy-sliders" }, ...sliders.map(({ root }) => root)), note),
      element("div", {}, element("h4", { text: "Who finds the change of F?" }), bars, legend)
    )
  );

  const show = (/** @type {LabAnswer} */ now) => {
    answer = now;
    const toy = /** @type {Toy} */ (now.toy);
    const one = toy.weights.length === 1;
    const at = (/** @type {string} */ name) => Math.min(toy.high, lab.value(name));
    const x = one ? [at("x")] : [at("x1"), at("x2")];
    const start = one ? [at("start")] : [0, 0];
    const by = lab.value("area");
    const slope = gradientOf(toy, x);
    const products = slope.map((each, i) => each * (x[i] - start[i]));
    const mean = meanGradient(toy, x, start, by, lab.value("steps"));
    const map = mean.map((each, i) => each * (x[i] - start[i]));
    const change = outputOf(toy, x) - outputOf(toy, start);
    steps.hidden = by === "exact";
    sliders.forEach(({ follow, name }) => follow(at(name), toy.high, POINTS[one ? "one" : "pair"].some(([used]) => used === name)));
    write(note, inside(toy, x) === 0 ? "x is on the kink: there torch sets the gradient to 0." : "");
    showBars(bars, { change, products, map }, toy.high);
    write(legend, `${one ? "" : "The baseline is x′ = (0, 0). "}Per cent are of F(x) − F(x′).`);
    const told = one
      ? `At x = ${short(x[0])} the tangent has the slope ${short(slope[0])}. The area from x′ = ${short(start[0])} to x is ${short(map[0])}.`
      : `At x₁ = ${short(x[0])}, x₂ = ${short(x[1])} the gradient is ${short(slope[0])} for both pixels. Integrated Gradients: ${map.map(short).join(" and ")}.`;
    picture.show({ toy, x, start, slope, by, steps: lab.value("steps"), area: one ? map[0] : mean[0], told });
  };
  return { show };
}

/**
 * A slider for one coordinate: what the keyboard moves.
 * @param {string} id
 * @param {string} name
 * @param {string} title
 * @param {(patch: Record<string, number>, done: boolean) => void} move
 */
function pointSlider(id, name, title, move) {
  const input = element("input", { id, type: "range", min: 0, max: 1, step: STEP });
  const shown = element("output", { for: id, translate: "no" });
  const root = element("div", { class: "lab-field lab-slider" }, element("label", { for: id, text: title }), input, shown);
  input.addEventListener("input", () => move({ [name]: Number(input.value) }, false));
  input.addEventListener("change", () => move({ [name]: Number(input.value) }, true));
  const follow = (/** @type {number} */ value, /** @type {number} */ high, /** @type {boolean} */ used) => {
    root.hidden = !used;
    input.max = String(high);
    if (Number(input.value) !== value) input.value = String(value);
    write(shown, short(value));
  };
  return { root, follow, name };
}

/**
 * @param {HTMLElement} host
 * @param {{ change: number, products: number[], map: number[] }} found
 * @param {number} limit of the bars
 */
function showBars(host, { change, products, map }, limit) {
  const of = (/** @type {number} */ i) => (map.length === 1 ? "" : ` of ${["x₁", "x₂"][i]}`);
  const rows = /** @type {[string, number, boolean][]} */ ([
    ["F(x) − F(x′)", change, false],
    ...products.map((value, i) => [`gradient × (x − x′)${of(i)}`, value, true]),
    ...map.map((value, i) => [`Integrated Gradients${of(i)}`, value, true]),
  ]);
  while (host.children.length < rows.length) host.append(element("div", { class: "toy-bar" }, element("span"), element("b", { translate: "no" }), element("i", {}, element("u"))));
  [...host.children].forEach((row, i) => {
    /** @type {HTMLElement} */ (row).hidden = i >= rows.length;
    if (i >= rows.length) return;
    const [title, value, shared] = rows[i];
    const [name, figure, track] = row.children;
    write(name, title);
    write(figure, `${short(value)}${shared && change ? ` (${percent(value / change)})` : ""}`);
    const bar = /** @type {HTMLElement} */ (track.firstChild);
    bar.className = shared ? (value < 0 ? "down" : "up") : "";
    bar.style.left = `${50 + 50 * Math.min(0, value / limit)}%`;
    bar.style.width = `${50 * Math.abs(value / limit)}%`;
  });
}
