// The lab convergence: the errors of all rules, and the map of one rule beside the exact one.

import { element } from "../../core/dom.js";
import { floats, largest, number, percent, signed } from "../../core/numbers.js";
import { PixelMap } from "../../draw/map.js";
import { PlotlyChart } from "../../draw/plotly.js";
import { labControl, nearestStop } from "../lab_controls.js";

/** @import { LabAnswer, LabHost } from "../../types.js" */

const STEPS = [1, 2, 3, 5, 10, 20, 30, 50, 100, 150, 300]; // that the answer has

/** @param {LabHost} lab */
export function build(lab) {
  lab.controls.append(labControl(lab, "rule"), labControl(lab, "steps", { stops: STEPS, text: (m) => `m = ${m}` }));
  const row = element("div", { class: "lab-maps" });
  const charts = element("div", { class: "lab-charts" });
  lab.figures.append(row, charts);
  const [map, exact, error] = ["Integrated Gradients", "Exact", "Error"].map((title) => new PixelMap(row, { name: "integrated_gradients", title, kind: "signed", plain: true }));
  const pixel = new PlotlyChart(charts, "Largest error of a pixel");
  const sum = new PlotlyChart(charts, "Error of the sum");
  /** @type {Float32Array} */
  let maps;
  /** @type {LabAnswer | null} */
  let unpacked = null;

  /** @type {(pixel: number) => string[]} */
  let values = () => [];

  const show = (/** @type {LabAnswer} */ answer) => {
    const { rules, steps, exact: truth, peak } = answer;
    pixel.show(answer.charts.pixel);
    sum.show(answer.charts.sum);
    values = () => [];
    row.hidden = !answer.maps;
    if (!answer.maps) return;
    if (unpacked !== answer) maps = floats(answer.maps);
    unpacked = answer;
    const at = nearestStop(steps, lab.value("steps"));
    const start = 64 * (rules.indexOf(lab.value("rule")) * steps.length + at);
    const found = maps.slice(start, start + 64);
    const errors = Array.from(found, (value, i) => value - truth[i]);
    const limit = Math.max(peak, largest(found));
    values = (i) => [`Integrated Gradients ${signed(found[i])}`, `exact ${signed(truth[i])}`, `error ${signed(errors[i], 2)}`];
    map.set(found, limit);
    exact.set(truth, limit);
    error.set(errors, limit);
    map.describe({ figure: `m = ${steps[at]}`, caption: `by the ${lab.value("rule")} rule` });
    exact.describe({ figure: `peak ${number(peak)}`, caption: "without quadrature" });
    error.describe({ figure: percent(largest(errors) / peak), caption: "largest error ÷ peak" });
  };
  return { show, valuesAt: (/** @type {number} */ pixel) => values(pixel) };
}
