// The lab shift: what the methods are given before and after the shift, and every method's map before and after.

import { element, write } from "../../core/dom.js";
import { floats, largest, number, percent, plain, signed } from "../../core/numbers.js";
import { PixelMap } from "../../draw/map.js";
import { paintMap } from "../../draw/paint.js";
import { labControl } from "../lab_controls.js";

/** @import { LabAnswer, LabHost } from "../../types.js" */

/** @typedef {{ root: HTMLElement, title: HTMLElement, before: PixelMap, after: PixelMap, verdict: HTMLElement }} Pair */

const SIZE = 96; // of a small picture, in device pixels
const CONSTANTS = { "minus-one": "−1", half: "+½", checkerboard: "checkerboard" };

/** @param {LabHost} lab */
export function build(lab) {
  lab.controls.append(labControl(lab, "constant", { texts: CONSTANTS }), labControl(lab, "references"));
  const given = ["Picture", "Picture, shifted", "Baseline", "Baseline, later"].map(smallPicture);
  const pairs = element("div", { class: "shift-pairs" });
  const note = "Changed by: the largest difference of a pixel ÷ the larger peak of the two maps. They share a scale; other pairs have others. The small pictures show what the numbers mean to the network that gets them.";
  lab.figures.append(element("div", { class: "shift-given" }, ...given.map(({ root }) => root)), pairs, element("p", { class: "lab-note", text: note }));
  /** @type {Pair[]} */
  const shown = [];
  /** @type {Float32Array} */
  let maps = new Float32Array(0);
  /** @type {LabAnswer | null} */
  let unpacked = null;

  const moved = () => (lab.value("references") ? 1 : 0);
  /** Where a map starts: 0 is the one before the shift. */
  const start = (/** @type {number} */ method, /** @type {number} */ which) => 64 * (3 * method + which);

  const show = (/** @type {LabAnswer} */ answer) => {
    if (unpacked !== answer) maps = floats(answer.maps);
    unpacked = answer;
    showGiven(given, answer, moved());
    while (shown.length < answer.methods.length) shown.push(pairOf(pairs));
    shown.forEach((pair, i) => {
      pair.root.hidden = i >= answer.methods.length;
      if (pair.root.hidden) return;
      const [before, after] = [0, 1 + moved()].map((which) => maps.slice(start(i, which), start(i, which) + 64));
      const limit = Math.max(largest(before), largest(after));
      write(pair.title, answer.titles[i]);
      pair.before.surface.setAttribute("aria-label", `${answer.titles[i]}, before`);
      pair.after.surface.setAttribute("aria-label", `${answer.titles[i]}, after`);
      pair.before.set(before, limit);
      pair.after.set(after, limit);
      const changed = answer.changed[i][moved()];
      const difference = answer.differences[i][moved()];
      write(pair.verdict, changed ? `changed by ${percent(difference)}` : `the same${difference ? `, to ${number(difference, 1)}` : ""}`);
      pair.root.classList.toggle("changed", changed);
    });
  };

  const valuesAt = (/** @type {number} */ pixel) =>
    unpacked ? unpacked.titles.map((/** @type {string} */ title, /** @type {number} */ i) => `${title} ${signed(maps[start(i, 0) + pixel], 2)} → ${signed(maps[start(i, 1 + moved()) + pixel], 2)}`) : [];

  return { show, valuesAt };
}

/**
 * A method's maps before and after, side by side.
 * @param {Element} host
 * @returns {Pair}
 */
function pairOf(host) {
  const [title, verdict] = [element("h4"), element("p", { class: "shift-verdict" })];
  const row = element("div", { class: "shift-row" });
  const [before, after] = ["before", "after"].map((when) => new PixelMap(row, { name: "shift", title: when, kind: "signed", bare: true }));
  before.describe({ caption: "before" });
  after.describe({ caption: "after" });
  const root = element("section", { class: "shift-pair" }, title, row, verdict);
  host.append(root);
  return { root, title, before, after, verdict };
}

/** @param {string} name */
function smallPicture(name) {
  const canvas = element("canvas", { width: SIZE, height: SIZE, role: "img" });
  const [title, numbers, meaning] = [element("b", { text: name }), element("span", { translate: "no" }), element("span")];
  return { root: element("figure", {}, canvas, element("figcaption", {}, title, numbers, meaning)), canvas, title, numbers, meaning };
}

/**
 * The numbers that the methods are given, drawn as what they mean to the network that gets them.
 * @param {ReturnType<typeof smallPicture>[]} pictures
 * @param {LabAnswer} answer
 * @param {number} moved whether the baseline is shifted, too
 */
function showGiven(pictures, { input, baseline, constant }, moved) {
  const add = (/** @type {number[]} */ values, /** @type {number} */ sign) => values.map((value, i) => value + sign * constant[i]);
  const later = moved ? add(baseline, 1) : baseline;
  const all = [
    { values: input, means: input },
    { values: add(input, 1), means: input },
    { values: baseline, means: baseline },
    { values: later, means: add(later, -1) },
  ];
  write(pictures[3].title, moved ? "Baseline, shifted" : "Baseline, kept");
  all.forEach(({ values, means }, i) => {
    const { canvas, title, numbers, meaning } = pictures[i];
    paintMap(/** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false })), SIZE, means, 1, { kind: "grey" });
    write(numbers, rangeOf(values));
    write(meaning, i % 2 ? `means ${rangeOf(means)}` : "");
    canvas.setAttribute("aria-label", `${title.textContent}: ${numbers.textContent} ${meaning.textContent}`);
  });
}

/** @param {number[]} values */
function rangeOf(values) {
  const [least, most] = [Math.min(...values), Math.max(...values)].map((end) => plain(Number(end.toFixed(6))));
  return least === most ? `all ${least}` : `${least} to ${most}`;
}
