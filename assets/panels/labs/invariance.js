// The lab invariance: one method's maps of the two networks, and the difference of every method.

import { element } from "../../core/dom.js";
import { floats, largest, number, percent, signed } from "../../core/numbers.js";
import { view } from "../../core/store.js";
import { PixelMap } from "../../draw/map.js";
import { PlotlyChart } from "../../draw/plotly.js";

/** @import { LabAnswer, LabHost } from "../../types.js" */

const NOTE =
  "The three maps share a scale. Left out: the activation maps, which need convolutions, and Shapley values of blocks, which take long. Every method has its default settings. In the chart, 0 is drawn at 10⁻¹⁷.";

/** @param {LabHost} lab */
export function build(lab) {
  const { settings } = view.config.labs[lab.name];
  const options = settings[0].choices.map((value) => element("option", { value, text: view.config.methods[value].title }));
  const select = element("select", { id: "lab-invariance-method", class: "form-select form-select-sm", onchange: () => lab.set({ method: select.value }) }, ...options);
  lab.controls.append(element("div", { class: "lab-field" }, element("label", { for: select.id, text: "Method whose maps are shown" }), select));
  const row = element("div", { class: "lab-maps" });
  const chartHost = element("div", { class: "invariance-chart" });
  lab.figures.append(row, element("p", { class: "lab-note", text: NOTE }), chartHost);
  const [one, other, off] = ["Digits", "Digits, rewritten", "Difference"].map((title) => new PixelMap(row, { name: "invariance", title, kind: "signed", plain: true }));
  const chart = new PlotlyChart(chartHost, "How much each method’s map differs");
  /** @type {Float32Array} */
  let maps = new Float32Array(0);
  /** @type {LabAnswer | null} */
  let unpacked = null;

  const chosen = (/** @type {LabAnswer} */ answer) => Math.max(0, answer.methods.indexOf(lab.value("method")));

  const show = (/** @type {LabAnswer} */ answer) => {
    select.value = lab.value("method");
    chart.show(answer.charts.differences);
    if (unpacked !== answer) maps = floats(answer.maps);
    unpacked = answer;
    const at = chosen(answer);
    const [first, second] = [0, 1].map((which) => maps.slice(64 * (2 * at + which), 64 * (2 * at + which) + 64));
    const differs = answer.differ.includes(answer.methods[at]);
    const errors = Array.from(second, (value, i) => (differs ? value - first[i] : 0)); // the maps came with too few digits to tell rounding
    const limit = Math.max(largest(first), largest(second));
    one.set(first, limit);
    other.set(second, limit);
    off.set(errors, limit);
    const [peaks, size] = [[first, second].map(largest), answer.differences[at]];
    one.describe({ figure: `peak ${number(peaks[0])}`, caption: "one way to compute it" });
    other.describe({ figure: `peak ${number(peaks[1])}`, caption: "the same function" });
    off.describe({ figure: differs ? percent(size) : size ? number(size, 1) : "0", caption: differs ? "largest difference ÷ peak" : "of the peak: rounding" });
  };

  const valuesAt = (/** @type {number} */ pixel) =>
    unpacked ? [`Digits ${signed(maps[128 * chosen(unpacked) + pixel])}`, `rewritten ${signed(maps[128 * chosen(unpacked) + 64 + pixel])}`] : [];

  return { show, valuesAt };
}
