// The lab interactions: the partners of one pixel, the strongest pairs, and the parts that add up to Integrated Gradients.

import { element } from "../../core/dom.js";
import { on } from "../../core/events.js";
import { place } from "../../core/grid.js";
import { bound, floats, largest, number, signed } from "../../core/numbers.js";
import { choosePixel, markedPixel, view } from "../../core/store.js";
import { CellMarks } from "../../draw/cell_marks.js";
import { PixelMap } from "../../draw/map.js";
import { PlotlyChart } from "../../draw/plotly.js";

/** @import { LabAnswer, LabHost } from "../../types.js" */

const total = (/** @type {ArrayLike<number>} */ values) => Array.from(values).reduce((sum, value) => sum + value, 0);

/** @param {number} i */
const short = (i) => `${Math.floor(i / 8)}, ${i % 8}`;

/** @param {LabHost} lab */
export function build(lab) {
  lab.controls.append(element("p", { text: "Point at a pixel, tap it, or use the arrow keys on a map: its partners show. Or choose one of the strongest pairs." }));
  const top = element("div", { class: "lab-maps" });
  const sums = element("div", { class: "lab-maps lab-sums" });
  const charts = element("div", { class: "lab-charts" });
  const note = element("p", { class: "lab-note", text: "Each of two partners gets half of what their pair adds. + raises the logit, − lowers it. The framed pixel’s own part is left out. Pairs are named by row, column." });
  const adds = element("p", { class: "lab-note", text: "Pixel by pixel, own part and pairs add up to exact Integrated Gradients (IG). The three maps share one scale." });
  lab.figures.append(top, note, sums, adds, charts);
  const picture = new PixelMap(top, { name: "input", title: "Your picture", kind: "grey", plain: true });
  const partners = new PixelMap(top, { name: "interactions", title: "Its partners", kind: "signed", plain: true });
  const rows = element("tbody");
  const heads = element("tr", {}, element("th", { text: "Strongest pairs" }), element("th", { text: "adds" }));
  top.append(element("div", { class: "lab-pairs" }, element("table", {}, element("thead", {}, heads), rows)));
  const [own, paired, exact] = ["Own part", "In pairs", "Sum: exact IG"].map((title) => new PixelMap(sums, { name: "interactions", title, kind: "signed", plain: true }));
  const frames = [picture, partners].map((map) => new CellMarks(map));
  const chart = new PlotlyChart(charts, "What adds up to the change of the logit");
  /** @type {LabAnswer | null} */
  let shown = null;
  /** @type {Float32Array} */
  let pairs;
  /** @type {number | null} */
  let chosen = null; // what the link was last told

  const isOpen = () => view.state.tab === "labs" && view.state.lab === lab.name;
  /** The pixel that is pointed at, else the chosen one, else one of the strongest pair. */
  const pixelNow = () => markedPixel() ?? shown?.strongest[0]?.[0] ?? 0;
  const rowOf = (/** @type {number} */ pixel) => pairs.subarray(64 * pixel, 64 * pixel + 64);

  function showPixel() {
    if (!shown) return;
    const pixel = pixelNow();
    const row = rowOf(pixel);
    partners.set(row, shown.peak);
    frames.forEach((frame) => frame.set((i) => (i === pixel ? "framed" : "")));
    picture.describe({ figure: place(pixel), caption: `own part ${signed(shown.own_parts[pixel])}` });
    partners.describe({ figure: `Σ ${signed(total(row))}`, caption: largest(row) ? `strongest: ${short(strongestIn(row))}` : "no partner" });
    Array.from(rows.children).forEach((line, k) => line.classList.toggle("on", shown?.strongest[k].slice(0, 2).includes(pixel)));
  }

  const show = (/** @type {LabAnswer} */ answer) => {
    const isNew = answer !== shown;
    if (isNew) pairs = floats(answer.pairs);
    shown = answer;
    const told = lab.value("pixel") < 0 ? null : lab.value("pixel");
    if (told !== chosen) {
      chosen = told; // the link, or Back, has another pixel
      choosePixel(told);
    }
    const inPairs = Array.from({ length: 64 }, (_, i) => total(rowOf(i)));
    const limit = Math.max(...[answer.own_parts, inPairs, answer.exact].map(largest));
    picture.set(answer.input, 1);
    own.set(answer.own_parts, limit);
    paired.set(inPairs, limit);
    exact.set(answer.exact, limit);
    own.describe({ figure: `Σ ${number(answer.own)}`, caption: `at most ${bound(largest(answer.own_parts))}` });
    paired.describe({ figure: `Σ ${number(answer.paired)}`, caption: `at most ${bound(largest(inPairs))}` });
    exact.describe({ figure: `Σ ${number(answer.total)}`, caption: `at most ${bound(largest(answer.exact))}` });
    if (isNew) listPairs(answer.strongest);
    chart.show(answer.charts.sums);
    showPixel();
  };

  /** @param {[number, number, number][]} strongest */
  function listPairs(strongest) {
    rows.replaceChildren(
      ...strongest.map(([first, second, value]) => {
        const button = element("button", { type: "button", text: `${short(first)} with ${short(second)}`, onclick: () => choosePixel(first) });
        button.title = `${place(first)} with ${place(second)}: show the partners of the first`;
        return element("tr", {}, element("td", {}, button), element("td", { class: value < 0 ? "minus" : "plus", translate: "no", text: signed(value) }));
      })
    );
    heads.hidden = !strongest.length;
  }

  on("pixel", () => {
    if (!isOpen() || !shown) return;
    if (view.chosen !== chosen) {
      chosen = view.chosen;
      lab.set({ pixel: chosen ?? -1 }); // which shows it, too
    } else showPixel();
  });

  const valuesAt = (/** @type {number} */ pixel) =>
    shown ? [`own part ${signed(shown.own_parts[pixel])}`, `in pairs ${signed(total(rowOf(pixel)))}`, `together ${signed(shown.exact[pixel])}`] : [];
  return { show, valuesAt };
}

/** @param {ArrayLike<number>} values */
function strongestIn(values) {
  const sizes = Array.from(values, Math.abs);
  return sizes.indexOf(Math.max(...sizes));
}
