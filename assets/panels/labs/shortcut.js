// The lab shortcut: maps of three networks, a guess which of them cheats by which pixel, and the truth.

import { element, smallButton, write } from "../../core/dom.js";
import { on } from "../../core/events.js";
import { place } from "../../core/grid.js";
import { floats, largest, number, percent, plain, probability, signed } from "../../core/numbers.js";
import { choosePixel, view } from "../../core/store.js";
import { PixelMap } from "../../draw/map.js";
import { labControl } from "../lab_controls.js";

/** @import { LabAnswer, LabHost } from "../../types.js" */

const NAMES = ["A", "B", "C"];
const STARTS = { black: "black", white: "white", expected: "training digits" };
const NOTE = "Each map has its own scale. The picture’s other pixels stay as they are when the mark comes or goes.";

/** @param {LabHost} lab */
export function build(lab) {
  const sample = labControl(lab, "sample", { text: (which) => (which ? `held-out 3, number ${which}` : "yours, from the grid") });
  const call = element("p", { class: "shortcut-call", text: "Find out which network cheats, and by which pixel. Answer below the maps. For your own picture, move the slider to its left end." });
  lab.controls.append(call, labControl(lab, "baseline", { texts: STARTS }), labControl(lab, "marked"), sample);
  const grid = element("div", { class: "shortcut-maps" });
  const task = taskOf();
  lab.figures.append(grid, element("p", { class: "lab-note", text: NOTE }), task.root);
  const [head, slopeHead] = [element("h4"), element("h4", { text: "Gradient" })];
  const picture = new PixelMap(grid, { name: "shortcut", title: "Picture", kind: "grey", plain: true });
  const mapsOf = () => NAMES.map((name) => new PixelMap(grid, { name: "shortcut", title: `Network ${name}`, kind: "signed", plain: true }));
  grid.append(head);
  const strong = mapsOf();
  grid.append(slopeHead);
  const slopes = mapsOf();
  /** @type {Float32Array} */
  let maps = new Float32Array(0);
  /** @type {LabAnswer | null} */
  let unpacked = null;

  const show = (/** @type {LabAnswer} */ answer) => {
    if (unpacked !== answer) maps = floats(answer.maps);
    unpacked = answer;
    task.know(answer);
    picture.set(answer.picture, 1);
    picture.describe({ caption: answer.marked ? "marked" : "not marked" });
    write(head, answer.start === "expected" ? "Expected Gradients of the 3" : `Integrated Gradients of the 3, from ${answer.start}`);
    NAMES.forEach((_, i) => {
      [strong, slopes].forEach((row, kind) => {
        const values = maps.slice(64 * (2 * i + kind), 64 * (2 * i + kind) + 64);
        row[i].set(values, largest(values));
      });
      const f = answer.f[i][answer.marked ? 1 : 0];
      strong[i].describe({ figure: answer.output === "probability" ? `P(3) = ${probability(f)}` : `logit ${number(f)}` });
    });
  };

  const valuesAt = (/** @type {number} */ pixel) => (unpacked ? [`picture ${unpacked.picture[pixel].toFixed(2)}`, ...NAMES.map((name, i) => `${name} ${signed(maps[128 * i + pixel])}`)] : []);

  return { show, valuesAt };
}

/** The visitor's task: name the pixel and the network, then see the truth. Both are kept in this page only. */
function taskOf() {
  /** @type {LabAnswer | null} */
  let known = null;
  const chosen = element("output", { class: "shortcut-pixel" });
  const inputs = NAMES.map((name, i) => element("input", { type: "radio", class: "form-check-input", name: "shortcut-guess", id: `shortcut-guess-${name}`, value: i }));
  const options = inputs.map((input, i) => element("div", { class: "form-check" }, input, element("label", { class: "form-check-label", for: input.id, text: NAMES[i] })));
  const network = element("fieldset", { class: "lab-field" }, element("legend", { text: "Which network cheats?" }), element("div", { class: "segmented" }, ...options));
  const pixel = element("div", { class: "lab-field" }, element("span", { class: "shortcut-ask", text: "By which pixel? Click it on a map, or move there with the arrow keys." }), chosen);
  const [verdict, cards] = [element("p", { class: "lab-verdict", role: "status" }), element("div", { class: "shortcut-cards" })];
  const reveal = smallButton("Show the truth", tell);
  reveal.classList.add("shortcut-reveal");
  const root = element("section", { class: "shortcut-task" }, element("h4", { text: "Your task: find the cheat" }), element("div", { class: "lab-controls" }, network, pixel, reveal), verdict, cards);

  const showChosen = () => write(chosen, view.chosen === null ? "none yet" : place(view.chosen));
  on("pixel", showChosen);
  showChosen();

  function tell() {
    if (!known) return;
    const { cheat, mark, names, truth } = known;
    const guess = inputs.findIndex((input) => input.checked);
    const found = view.chosen === mark;
    const where = found ? `✓ The pixel is right: ${place(mark)}.` : view.chosen === null ? `The pixel is ${place(mark)}.` : `✗ The pixel is ${place(mark)}, not ${place(view.chosen)}.`;
    write(verdict, `${guess === cheat ? `✓ ${names[cheat]} cheats.` : `${guess < 0 ? "" : "✗ "}It is ${names[cheat]} that cheats.`} ${where}`);
    cards.replaceChildren(...truth.map((/** @type {any} */ one, /** @type {number} */ i) => card(`${names[i]}${i === cheat ? ", the cheat" : ""}`, one, i === cheat)));
    cards.append(element("p", { class: "lab-note", text: "Rank and share: the median of 16 marked 3s, Integrated Gradients from black." }));
    choosePixel(mark);
  }

  const know = (/** @type {LabAnswer} */ answer) => {
    known = answer;
  };
  return { root, know };
}

/**
 * @param {string} title
 * @param {{ about: string, accuracy: number, marked_accuracy: number, rank: number, share: number }} truth
 * @param {boolean} cheats
 */
function card(title, { about, accuracy, marked_accuracy: marked, rank, share }, cheats) {
  const lines = [
    ["Held-out digits right", percent(accuracy)],
    ["all of them marked", percent(marked)],
    ["rank of the mark", plain(rank)],
    ["its share of the map", percent(share)],
  ];
  const list = element("dl", {}, ...lines.flatMap(([name, text]) => [element("dt", { text: name }), element("dd", { text })]));
  return element("section", { class: cheats ? "cheats" : "" }, element("h4", { text: title }), element("p", { text: about }), list);
}
