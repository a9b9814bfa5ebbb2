// The preset patterns and the handwritten digits.

import { fromLevels } from "../core/derived.js";
import { byId, element } from "../core/dom.js";
import { hasAnswer, view } from "../core/store.js";
import { paintMap } from "../draw/paint.js";
import { changeWithNotice, replacePicture } from "./undo.js";

/** @import { Pixels } from "../types.js" */

const nextSample = Array(10).fill(0); // by digit

export function startPresets() {
  const { patterns, digits } = view.config;
  byId("patterns").append(...Object.entries(patterns).map(([name, { title, levels }]) => patternButton(name, title, levels)));
  byId("digits").append(
    ...digits.map((samples, digit) =>
      element("button", {
        type: "button",
        class: "digit",
        text: String(digit),
        title: `A handwritten ${digit}; again for another ${digit}`,
        "aria-label": `A handwritten ${digit}; again for another`,
        onclick: () => anotherDigit(digit, samples),
      })
    )
  );
}

/**
 * @param {string} name
 * @param {string} title
 * @param {number[]} levels
 */
function patternButton(name, title, levels) {
  const canvas = element("canvas", { width: 32, height: 32, "aria-hidden": "true" });
  paintMap(/** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")), 32, fromLevels(levels), 1, { kind: "grey" });
  const onclick = () => putPreset(fromLevels(levels), "shapes");
  return element("button", { type: "button", class: "thumb", title, "aria-label": `Pattern: ${title}`, "data-name": name, onclick }, canvas);
}

/**
 * The next sample of this digit; another digit's first click starts with its first sample.
 * @param {number} digit
 * @param {number[][]} samples
 */
function anotherDigit(digit, samples) {
  const sample = samples[nextSample[digit] % samples.length];
  nextSample[digit]++;
  putPreset(fromLevels(sample), "digits");
}

/**
 * A network that was trained on other pictures makes room for one that knows this one; before the first answer nobody
 * knows which network the link means. The logistic detector was trained on none, and takes the patterns.
 * @param {Pixels} pixels
 * @param {"shapes" | "digits"} task
 */
function putPreset(pixels, task) {
  const { networks } = view.config;
  const { task: present } = networks[view.state.network];
  const fits = present === task || (!present && task === "shapes");
  if (fits || !hasAnswer()) return replacePicture(pixels);
  const network = /** @type {string} */ (Object.keys(networks).find((name) => networks[name].task === task));
  const what = task === "digits" ? "digits" : "patterns";
  const [now, before] = [network, view.state.network].map((name) => `“${networks[name].title}”`);
  changeWithNotice({ pixels, network, target: "predicted" }, `The network is now ${now}: ${before} does not know ${what}.`);
}

/**
 * Mark the preset that the picture is, if it is one.
 * @param {{ pattern?: string, digit?: number }} name
 */
export function showPreset({ pattern, digit }) {
  document.querySelectorAll("#patterns .thumb").forEach((button) => {
    button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.name === pattern));
  });
  document.querySelectorAll("#digits .digit").forEach((button, i) => {
    button.setAttribute("aria-pressed", String(i === digit));
  });
}
