// The lab readable: gradient, SmoothGrad and Integrated Gradients of both trainings, at a stage of them.

import { element, write } from "../../core/dom.js";
import { bound, correlation, floats, number, probability, signed } from "../../core/numbers.js";
import { PixelMap } from "../../draw/map.js";
import { PlotlyChart } from "../../draw/plotly.js";
import { nearestStop } from "../lab_controls.js";
import { labPlayer } from "../lab_player.js";

/** @import { LabAnswer, LabHost } from "../../types.js" */

const STOPS = [0, 1, 2, 3, 5, 8, 14, 23, 39, 65, 110, 185, 311, 524, 883, 1488, 2508, 4226, 7121, 12000]; // that the answer has
const TRAININGS = ["Trained against small changes", "Ordinary training"];
const METHODS = ["Gradient", "SmoothGrad", "Integrated Gradients"];

/** @param {LabHost} lab */
export function build(lab) {
  lab.controls.append(labPlayer(lab, "steps", { stops: STOPS, rate: () => 2, text: (steps) => String(steps).replace(/(\d)(?=\d{3}$)/, "$1,") }));
  const groups = TRAININGS.map((title) => {
    const facts = element("span", { class: "quiet" });
    const row = element("div", { class: "lab-maps lab-three" });
    lab.figures.append(element("div", { class: "lab-row-head" }, element("h4", { text: title }), facts), row);
    const maps = METHODS.map((method) => new PixelMap(row, { name: method.toLowerCase().replaceAll(" ", "_"), title: method, kind: "signed", plain: true }));
    return { facts, maps };
  });
  const note = "Below each map: the correlation of neighbouring pixels, 1 smooth, 0 noise. Each map has its own scale: compare patterns, not sizes.";
  const charts = element("div", { class: "lab-charts" });
  lab.figures.append(element("p", { class: "lab-note", text: note }), charts);
  const smooth = new PlotlyChart(charts, "How smooth the gradient is");
  const accuracy = new PlotlyChart(charts, "Accuracy on held-out shapes");
  /** @type {LabAnswer | null} */
  let shown = null;
  /** @type {Float32Array} */
  let maps;

  const stage = () => nearestStop(STOPS, lab.value("steps"));
  const mapAt = (/** @type {number} */ training, /** @type {number} */ method) => {
    const start = 64 * ((training * STOPS.length + stage()) * METHODS.length + method);
    return maps.subarray(start, start + 64);
  };

  const show = (/** @type {LabAnswer} */ answer) => {
    if (answer !== shown) maps = floats(answer.maps);
    shown = answer;
    const at = stage();
    groups.forEach((group, training) => {
      const f = answer.f[training][at];
      const value = answer.probability ? `P = ${probability(f)}` : `logit ${number(f)}`;
      write(group.facts, `${((100 * answer.right[training][at]) / answer.held_out).toFixed(1)} % of held-out shapes right, ${value} for ${answer.class}`);
      group.maps.forEach((map, method) => {
        const [peak, near] = [answer.peaks[training][at][method], answer.smooth[training][at][method]];
        map.set(mapAt(training, method), peak);
        map.describe({ figure: near === null ? "–" : correlation(near), caption: peak ? `at most ${bound(peak)}` : "0 everywhere" });
      });
    });
    smooth.show(answer.charts.smooth);
    accuracy.show(answer.charts.accuracy);
  };

  const valuesAt = (/** @type {number} */ pixel) =>
    shown ? METHODS.map((method, m) => `${method} ${signed(mapAt(0, m)[pixel])} and ${signed(mapAt(1, m)[pixel])}`) : [];
  return { show, valuesAt };
}
