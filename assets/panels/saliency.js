// The tab Saliency: the picture, and the gradients of P and of the logit there, each over the curve whose slope it is.

import { className, figureOfF, pictureName, startName } from "../core/derived.js";
import { byId, write } from "../core/dom.js";
import { on } from "../core/events.js";
import { floats, largest, number } from "../core/numbers.js";
import { view } from "../core/store.js";
import { alongPath, drawChart, pathAxis } from "../draw/chart.js";
import { ink } from "../draw/colours.js";
import { PixelMap } from "../draw/map.js";

/** @typedef {"probability" | "logit"} Output */

/** @type {Record<"input" | Output, PixelMap>} */
let maps;
const NAMES = { probability: "P", logit: "the logit" };

export function start() {
  const host = byId("saliency-maps");
  maps = {
    input: new PixelMap(host, { name: "input", title: "Your picture", kind: "grey", plain: true }),
    probability: new PixelMap(host, { name: "gradient", title: "Gradient of P", term: ["gradient", "∂P/∂x"], kind: "signed", magnifies: true }),
    logit: new PixelMap(host, { name: "logit-gradient", title: "Gradient of the logit", term: ["logit", "logit?"], kind: "signed", magnifies: true }),
  };
  maps.probability.onmagnify = () => describe("probability");
  maps.logit.onmagnify = () => describe("logit");
  on("answer", () => Object.values(maps).forEach((map) => map.magnify(false))); // the sentence says what is seen unmagnified
}

export function draw() {
  const { answer, asked, path } = view;
  const both = asked.output === "probability"; // else the gradients of P on the path, and so its scale, are not known
  maps.input.set(asked.pixels, 1);
  maps.input.describe({ note: pictureName(asked.pixels).title, figure: figureOfF(answer.scores[answer.target], "probability"), caption: className(answer.target) });
  maps.probability.root.hidden = !both;
  /** @type {HTMLElement} */ (byId("slope-probability").parentElement).hidden = !both;
  if (both) drawOutput("probability", answer.methods.gradient.map, path.scale);
  const logit = both ? Array.from(floats(answer.logit_gradient)) : answer.methods.gradient.map;
  drawOutput("logit", logit, both ? largest(logit) : path.scale);
}

/**
 * @param {Output} output
 * @param {number[]} map
 * @param {number} limit
 */
function drawOutput(output, map, limit) {
  maps[output].set(map, limit);
  describe(output);
  const { answer, path } = view;
  const y = Array.from(floats(answer.curves[output]));
  const slope = map.reduce((sum, value, i) => sum + value * path.difference[i], 0);
  const axis = pathAxis(output === "probability", y, [0, 1], 0.05);
  const name = NAMES[output];
  const way = `on the way from ${startName()}`;
  drawChart(byId(`slope-${output}`), { ...alongPath(y), axis, colour: ink("--line-strong"), tangent: slope }, `${name} ${way}; its slope at your picture is ${number(slope)}`);
  write(byId(`slope-${output}-title`), `${name} ${way}`);
  const range = Math.max(...y) - Math.min(...y);
  const ending = Math.abs(slope) < 0.05 * range ? "flat at the end" : slope > 0 ? "rising at the end" : "falling at the end";
  write(byId(`slope-${output}-note`), `${name[0].toUpperCase()}${name.slice(1)} ${way}: ${range ? ending : "it does not change"}`);
}

/** @param {Output} output */
const describe = (output) => maps[output].describeSize(`${output === "logit" ? "logit" : "P"} per unit of a pixel`);
