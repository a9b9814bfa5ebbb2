// The lab faithfulness: the maps of the pinned methods, one test of their order at a time, and the tests by random sets of pixels.

import { element, write } from "../../core/dom.js";
import { largest, signed } from "../../core/numbers.js";
import { view } from "../../core/store.js";
import { PixelMap } from "../../draw/map.js";
import { PlotlyChart } from "../../draw/plotly.js";
import { labControl } from "../lab_controls.js";

/** @import { LabAnswer, LabHost } from "../../types.js" */

const TESTS = { deletion: "deletion", insertion: "insertion", road: "ROAD", road_least: "ROAD, last" };
const IMPUTED = "are replaced by the mean of their neighbours, with a little noise"; // by ROAD

/** What each test does. @type {Record<string, (scored: string, fill: string) => string>} */
const WORDS = {
  deletion: (scored, fill) => `The picture’s pixels are set to ${fill}, those with the largest attribution first. The sooner ${scored} falls, the better.`,
  insertion: (scored, fill) => `The picture’s pixels are put into ${fill}, those with the largest attribution first. The sooner ${scored} rises, the better.`,
  road: (scored) => `Pixels ${IMPUTED}, those with the largest attribution first. The sooner ${scored} falls, the better.`,
  road_least: (scored) => `Pixels ${IMPUTED}, those with the smallest attribution first. The longer ${scored} stays, the better.`,
};

/** @param {LabHost} lab */
export function build(lab) {
  lab.controls.append(labControl(lab, "test", { texts: TESTS }), labControl(lab, "fill", { texts: { mean: "the mean", baseline: "the baseline" } }));
  const row = element("div", { class: "lab-maps faith-maps" });
  const words = element("p", { class: "faith-words" });
  const ordered = element("div", { class: "lab-charts faith-charts" });
  const sets = element("p", { class: "faith-words" });
  const bySets = element("div", { class: "lab-charts faith-charts" });
  const note = element("p", { class: "lab-note", text: "Each map on its own scale. “Picture itself” is the picture, used as if it were a map." });
  lab.figures.append(row, note, words, ordered, sets, bySets);
  const curves = new PlotlyChart(ordered, "");
  const bars = new PlotlyChart(ordered, "");
  const sensitivity = new PlotlyChart(bySets, "Sensitivity-n: correlation of the map’s sum with the change");
  const infidelity = new PlotlyChart(bySets, "Infidelity: share of the squared change not foretold");
  /** @type {PixelMap[]} */
  let maps = [];
  /** @type {LabAnswer | null} */
  let shown = null;

  const rebuild = (/** @type {LabAnswer} */ { methods, titles }) => {
    maps.forEach((map) => map.remove());
    maps = [...titles, "Picture itself"].map((title, i) => new PixelMap(row, { name: methods[i] ?? "picture", title, kind: "signed", plain: true }));
  };

  const show = (/** @type {LabAnswer} */ answer) => {
    const test = lab.value("test");
    if (shown !== answer) {
      if (!shown || shown.methods.join() !== answer.methods.join()) rebuild(answer);
      [...answer.maps, view.asked.pixels].forEach((values, i) => maps[i].set(values, largest(values)));
    }
    shown = answer;
    const { scored, fill } = answer;
    write(words, WORDS[test](scored, fill));
    write(
      sets,
      `Now random sets of 1 to 32 pixels are set to ${fill}. A map foretells a change by its sum over the set; a gradient is first multiplied by the picture minus ${fill}. Infidelity gives each map its best scale.`
    );
    const title = scored === "P" ? "P" : "The logit";
    write(curves.title, `${title} while pixels are ${test === "insertion" ? "inserted" : "deleted"}`);
    write(bars.title, `Area under ${scored}, its mean on the way`);
    curves.show(answer.charts[`curves_${test}`]);
    bars.show(answer.charts[`bars_${test}`]);
    sensitivity.show(answer.charts.sensitivity);
    infidelity.show(answer.charts.infidelity);
  };

  const valuesAt = (/** @type {number} */ pixel) => (shown ? shown.titles.map((/** @type {string} */ title, /** @type {number} */ i) => `${title} ${signed(shown?.maps[i][pixel])}`) : []);
  return { show, valuesAt };
}
