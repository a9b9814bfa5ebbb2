// The lab fragile: the picture as it is and as it was changed, the map of both, and which of its strongest pixels stayed.

import { element, write } from "../../core/dom.js";
import { chance, floats, largest, plain, signed } from "../../core/numbers.js";
import { CellMarks } from "../../draw/cell_marks.js";
import { PixelMap } from "../../draw/map.js";
import { PlotlyChart } from "../../draw/plotly.js";
import { labControl } from "../lab_controls.js";

/** @import { LabAnswer, LabHost } from "../../types.js" */

const TITLES = { gradient: "Gradient", integrated_gradients: "Integrated Gradients" };

/** @param {LabHost} lab */
export function build(lab) {
  lab.controls.append(labControl(lab, "method", { texts: TITLES }), labControl(lab, "epsilon", { text: (k) => (k ? `ε = ${k}/16` : "0, unchanged") }));
  const row = element("div", { class: "lab-maps fragile-maps" });
  const flat = element("p", { text: "This map is 0 everywhere, so it has no strongest pixels to move." });
  const quadrature = element("span");
  const note = element(
    "p",
    { class: "lab-note" },
    "Frames: the strongest pixels of a map. ",
    element("i", { class: "frame-key kept" }),
    " solid: among the strongest of both. ",
    element("i", { class: "frame-key" }),
    " dashed: of this map only. Each map is on its own scale. ",
    quadrature
  );
  const charts = element("div", { class: "lab-charts" });
  lab.figures.append(row, flat, note, charts);
  const grey = (/** @type {string} */ title) => new PixelMap(row, { name: "picture", title, kind: "grey", plain: true });
  const colours = (/** @type {string} */ title) => new PixelMap(row, { name: lab.name, title, kind: "signed", plain: true });
  const [original, changed, before, after, change] = [grey("Your picture"), grey("Changed"), colours("Map before"), colours("Map after"), colours("The change")];
  const [framesBefore, framesAfter] = [before, after].map((map) => new CellMarks(map));
  const steps = new PlotlyChart(charts, "The attack, step by step");
  const sizes = new PlotlyChart(charts, "The size of the change");
  /** @type {LabAnswer | null} */
  let unpacked = null;
  /** @type {Float32Array} */
  let picture;
  /** @type {Record<string, { before: Float32Array, pictures: Float32Array, after: Float32Array }>} */
  let maps = {};
  /** @type {(pixel: number) => string[]} */
  let values = () => [];

  const show = (/** @type {LabAnswer} */ answer) => {
    const [method, k] = [lab.value("method"), lab.value("epsilon")];
    const attack = answer.attacks[method];
    [row, note].forEach((part) => (part.hidden = !attack));
    flat.hidden = Boolean(attack);
    steps.show(answer.charts[`${method}-${k}`]);
    sizes.show(answer.charts.sizes);
    values = () => [];
    if (!attack) return;
    if (unpacked !== answer)
      [picture, maps] = [floats(answer.picture), Object.fromEntries(Object.entries(answer.attacks).map(([name, one]) => [name, { before: floats(one.before), pictures: floats(one.pictures), after: floats(one.after) }]))];
    unpacked = answer;
    const found = maps[method];
    const of = (/** @type {Float32Array} */ all) => all.slice(64 * (k - 1), 64 * k);
    const moved = k ? of(found.pictures) : picture;
    const difference = Array.from(moved, (value, i) => value - picture[i]);
    const map = k ? of(found.after) : found.before;
    original.set(picture, 1);
    changed.set(moved, 1);
    change.set(difference, k / 16);
    before.set(found.before, largest(found.before));
    after.set(map, largest(map));
    const strongest = k ? attack.strongest_after[k - 1] : attack.strongest;
    write(quadrature, `Integrated Gradients takes ${answer.steps} steps here (midpoint rule).`);
    frame(framesBefore, attack.strongest, strongest);
    frame(framesAfter, strongest, attack.strongest);
    const [p, kept] = k ? [attack.probabilities[k - 1], attack.kept[k - 1]] : [answer.probability, attack.count];
    original.describe({ figure: `P = ${chance(answer.probability)}`, caption: answer.predicted });
    changed.describe({ figure: `P = ${chance(p)}`, caption: `still ${answer.predicted}` });
    change.describe({ figure: k ? `× ${plain(16 / k)}` : "none", caption: k ? "magnified: + brighter, − darker" : "" });
    const explained = `${answer.output === "logit" ? "logit" : "P"} of ${answer.target}`;
    before.describe({ figure: `${attack.count} framed`, caption: explained });
    after.describe({ figure: `${kept} of ${attack.count} stay`, caption: k && attack.steps[k - 1] === 0 ? "the attack found nothing" : explained });
    values = (i) => [`changed ${moved[i].toFixed(2)}`, `map before ${signed(found.before[i])}`, `after ${signed(map[i])}`];
  };
  return { show, valuesAt: (/** @type {number} */ pixel) => values(pixel) };
}

/**
 * Frames around the strongest pixels of a map: solid where they are among those of the other map too.
 * @param {CellMarks} marks
 * @param {number[]} strongest
 * @param {number[]} others
 */
const frame = (marks, strongest, others) => marks.set((i) => (!strongest.includes(i) ? "" : others.includes(i) ? "framed" : "framed dashed"));
