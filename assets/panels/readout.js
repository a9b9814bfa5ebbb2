// The readout of the marked pixel.

import { pixelInView } from "../core/derived.js";
import { byId, element, write } from "../core/dom.js";
import { on } from "../core/events.js";
import { place } from "../core/grid.js";
import { number, signed } from "../core/numbers.js";
import { hasAnswer, markedPixel, view } from "../core/store.js";

/** @import { Panel } from "../types.js" */

/** @type {Record<string, Panel>} */
let panels = {};

/** @param {Record<string, Panel>} all by tab */
export function startReadout(all) {
  panels = all;
  on("methods", showReadout);
  on("tab", showReadout);
  on("state", (patch) => (patch.pinned || patch.lab_settings) && showReadout());
  on("lab", showReadout);
  on("pixel", showReadout);
  on("step", showReadout);
}

export function showReadout() {
  const readout = byId("readout");
  readout.hidden = markedPixel() === null || !hasAnswer();
  if (readout.hidden) return;
  const { answer, path, state } = view;
  const i = pixelInView();
  const values = panels[state.tab].valuesAt ?? coreValuesAt;
  const ends = state.tab === "labs" ? [] : [`x ${path.input[i].toFixed(2)}`, `x′ ${answer.baseline[i].toFixed(2)}`]; // a lab may show other pictures
  const cells = [place(i), ...ends, ...values(i)];
  while (readout.childElementCount < cells.length) readout.append(element(readout.childElementCount ? "span" : "b"));
  while (readout.childElementCount > cells.length) readout.lastElementChild?.remove();
  cells.forEach((text, k) => write(readout.children[k], text));
}

/**
 * Gradient, Integrated Gradients as far as it is played, and SmoothGrad with its error.
 * @param {number} i
 */
function coreValuesAt(i) {
  const { answer, path, step } = view;
  const { gradient, smoothgrad, integrated_gradients: integrated } = answer.methods;
  const soFar = step < path.count ? `IG so far ${signed(path.running[64 * step + i])} of ${signed(integrated.map[i])}` : `IG ${signed(integrated.map[i])}`;
  const error = answer.smoothgrad.error ? ` ± ${number(answer.smoothgrad.error[i], 2)}` : "";
  return [`gradient ${signed(gradient.map[i])}`, soFar, `SmoothGrad ${signed(smoothgrad.map[i])}${error}`];
}
