// The lab sanity: each method's map of the trained network beside that of one without what it learned, and how alike they are.

import { element, write } from "../../core/dom.js";
import { correlation, floats, largest, signed } from "../../core/numbers.js";
import { PixelMap } from "../../draw/map.js";
import { PlotlyChart } from "../../draw/plotly.js";
import { labControl, refreshControls } from "../lab_controls.js";

/** @import { LabAnswer, LabHost } from "../../types.js" */

const TITLES = /** @type {Record<string, string>} */ ({ gradient: "Gradient", integrated_gradients: "Integrated Gradients", guided_backprop: "Guided Backprop" });
const CONTROLS = { twin: "a twin", random: "a random map", picture: "the picture itself", negated: "the map negated" };
const NAMES = Object.keys(TITLES);

const told = (/** @type {number | null} */ value) => (value === null ? "–" : correlation(value));

/** @param {LabHost} lab */
export function build(lab) {
  /** @type {string[]} */
  let levels = [];
  const slider = labControl(lab, "layer", { text: (k) => levels[Math.min(k, levels.length - 1)] ?? String(k) });
  const range = /** @type {HTMLInputElement} */ (slider.querySelector("input"));
  const over = labControl(lab, "pixels", { texts: { all: "All pixels", moving: "Pixels that differ from x′" } });
  const strip = element("div", { class: "sanity-layers" });
  lab.controls.append(
    labControl(lab, "kind", { texts: { cascading: "Layers, from the logits down", alone: "One layer alone", labels: "The labels" } }),
    slider,
    strip,
    labControl(lab, "compare", { texts: { signed: "Signed values", magnitude: "Magnitudes", ssim: "SSIM" } }),
    over
  );
  const row = element("div", { class: "sanity-pairs" });
  const note = element("p", { class: "lab-note" });
  const beside = element("div", { class: "lab-charts" });
  lab.figures.append(row, note, beside);
  const pairs = NAMES.map((name) => new Pair(row, name));
  const chart = new PlotlyChart(beside, "Layer by layer");
  const table = element("div");
  beside.append(element("div", {}, element("h4", { text: "The trained map against controls" }), table));
  /** @type {LabAnswer | null} */
  let unpacked = null;
  /** @type {Float32Array} */
  let trained;
  /** @type {Float32Array} */
  let others;
  /** @type {(pixel: number) => string[]} */
  let values = () => [];

  const show = (/** @type {LabAnswer} */ answer) => {
    const { layers, kind } = answer;
    if (unpacked !== answer) [trained, others] = [floats(answer.trained), floats(answer.others)];
    unpacked = answer;
    const labels = kind === "labels";
    const depth = labels ? 1 : Math.min(layers.length, lab.value("layer"));
    const compare = lab.value("compare");
    const measure = compare === "ssim" || lab.value("pixels") === "all" ? compare : `${compare}_moving`;
    levels = ["none, as trained", ...layers.map((/** @type {string} */ size, /** @type {number} */ k) => (k && kind === "cascading" ? `+ ${size}` : size))];
    [slider, strip].forEach((part) => (part.hidden = labels));
    over.hidden = compare === "ssim";
    range.max = String(layers.length);
    refreshControls(lab.name);
    drawStrip(strip, layers, (k) => (kind === "alone" ? k + 1 === depth : k < depth));
    const other = labels ? "permuted" : depth ? "random" : "still trained";
    pairs.forEach((pair, m) => {
      const before = trained.slice(64 * m, 64 * m + 64);
      const after = depth ? others.slice(64 * (NAMES.length * (depth - 1) + m), 64 * (NAMES.length * (depth - 1) + m + 1)) : before;
      const { mean, draws } = depth ? answer.random[NAMES[m]][depth - 1] : { mean: null, draws: null };
      pair.show(before, after, other, depth ? mean[measure] : largest(before) ? 1 : null, draws ? draws[measure] : [], answer.controls.twin[NAMES[m]][measure]);
    });
    const what = compare === "ssim" ? "SSIM with the trained map, which compares windows of 5 × 5 pixels" : "rank correlation with the trained map";
    const draws = labels ? "" : ", mean of 5 draws (dots; a flat map is left out). The random map is that of the first draw";
    const logit = `explains the logit of ${answer.target}${labels ? "" : ": with all layers random, P hardly depends on the picture"}`;
    write(
      note,
      `Bar: ${what}${draws}. Below 0.5 we say that a map changed. Line: a twin, the same task trained with another seed: it is the ceiling, not 1. Each map is on its own scale and ${logit}.`
    );
    chart.show(answer.charts[measure]);
    fillTable(table, answer.controls, measure);
    values = (i) => NAMES.map((name, m) => `${TITLES[name]} ${signed(pairs[m].values(0, i), 2)}, ${signed(pairs[m].values(1, i), 2)}`);
  };
  return { show, valuesAt: (/** @type {number} */ pixel) => values(pixel) };
}

/** Two maps of a method, and how alike they are. */
class Pair {
  /**
   * @param {HTMLElement} host
   * @param {string} name of the method
   */
  constructor(host, name) {
    const title = TITLES[name];
    const maps = element("div", { class: "sanity-maps" });
    this.maps = ["trained", "without what it learned"].map((which) => new PixelMap(maps, { name, title: `${title}, ${which}`, kind: "signed", bare: true }));
    const ends = element("div", { class: "likeness-ends", "aria-hidden": "true", translate: "no" }, ...["−1", "0", "1"].map((text) => element("span", { text })));
    this.value = element("b", { translate: "no" });
    this.twin = element("span", { translate: "no" });
    this.track = element("div", { class: "likeness", "aria-hidden": "true" });
    host.append(element("div", { class: "sanity-pair" }, element("h4", { text: title }), maps, this.track, ends, element("p", { class: "sanity-value" }, this.value, this.twin)));
  }

  /**
   * @param {Float32Array} before
   * @param {Float32Array} after
   * @param {string} other what the second map is of
   * @param {number | null} mean
   * @param {(number | null)[]} draws
   * @param {number | null} twin
   */
  show(before, after, other, mean, draws, twin) {
    this.maps[0].set(before, largest(before));
    this.maps[1].set(after, largest(after));
    this.maps[0].describe({ caption: "trained" });
    this.maps[1].describe({ caption: other });
    write(this.value, mean === null ? "a flat map" : told(mean));
    write(this.twin, `twin ${told(twin)}`);
    const at = (/** @type {number} */ value) => `left: ${50 + 50 * value}%`;
    const bar = mean === null ? [] : [element("i", { class: "bar-part", style: `left: ${50 + 50 * Math.min(0, mean)}%; width: ${50 * Math.abs(mean)}%` })];
    const dots = draws.length > 1 ? draws.flatMap((draw) => (draw === null ? [] : [element("i", { class: "draw", style: at(draw) })])) : [];
    const mark = twin === null ? [] : [element("i", { class: "twin", style: at(twin) })];
    this.track.replaceChildren(element("i", { class: "zero" }), ...bar, ...dots, ...mark);
  }

  /**
   * @param {number} which of its maps
   * @param {number} pixel
   */
  values(which, pixel) {
    return /** @type {ArrayLike<number>} */ (this.maps[which].values)[pixel];
  }
}

/**
 * The layers from the pixels to the logits, with those that are random.
 * @param {HTMLElement} strip
 * @param {string[]} layers from the logits down
 * @param {(k: number) => boolean} random
 */
function drawStrip(strip, layers, random) {
  const cells = layers.map((size, k) => element("span", { class: random(k) ? "random" : "", text: `${random(k) ? "random" : "trained"}: ${size}` }));
  strip.replaceChildren(...cells.reverse());
}

/**
 * @param {HTMLElement} host
 * @param {Record<string, Record<string, Record<string, number | null>>>} controls
 * @param {string} measure
 */
function fillTable(host, controls, measure) {
  const head = element("tr", {}, element("td"), ...NAMES.map((name) => element("th", { scope: "col", text: TITLES[name] })));
  const rows = Object.entries(CONTROLS).map(([control, title]) =>
    element("tr", {}, element("th", { scope: "row", text: title }), ...NAMES.map((name) => element("td", { text: told(controls[control][name][measure]) })))
  );
  host.replaceChildren(element("table", { class: "sanity-controls" }, element("thead", {}, head), element("tbody", {}, ...rows)));
}
