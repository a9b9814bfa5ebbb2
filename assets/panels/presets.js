// The preset patterns and the handwritten digits.

import { fromLevels } from "../core/derived.js";
import { byId, element } from "../core/dom.js";
import { on } from "../core/events.js";
import { hasAnswer, view } from "../core/store.js";
import { paintMap } from "../draw/paint.js";
import { changeWithNotice, replacePicture } from "./undo.js";

/** @import { Pixels } from "../types.js" */

const nextSample = Array(10).fill(0); // by digit
let samplesOf = ""; // the network whose samples are shown

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
  on("state", showSamples);
}

/** A network of the user's own brings pictures of its own. */
function showSamples() {
  const { network } = view.state;
  if (samplesOf === network) return;
  samplesOf = network;
  const { samples } = view.config.networks[network];
  byId("own-samples").replaceChildren(...samples.map((levels, i) => thumb(levels, `Sample ${i + 1} of this network`, () => replacePicture(fromLevels(levels)))));
  byId("own-samples").hidden = !samples.length;
}

/**
 * @param {string} name
 * @param {string} title
 * @param {number[]} levels
 */
function patternButton(name, title, levels) {
  const button = thumb(levels, title, () => putPreset(fromLevels(levels), "shapes"));
  button.setAttribute("aria-label", `Pattern: ${title}`);
  button.dataset.name = name;
  return button;
}

/**
 * @param {number[]} levels
 * @param {string} title
 * @param {() => void} onclick
 */
function thumb(levels, title, onclick) {
  const canvas = element("canvas", { width: 32, height: 32, "aria-hidden": "true" });
  paintMap(/** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")), 32, fromLevels(levels), 1, { kind: "grey" });
  return element("button", { type: "button", class: "thumb", title, "aria-label": title, onclick }, canvas);
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
 * knows which network the link means. The logistic detector was trained on none, and takes the patterns;
 * nobody knows what a network of the user's own was trained on, so it takes all.
 * @param {Pixels} pixels
 * @param {"shapes" | "digits"} task
 */
function putPreset(pixels, task) {
  const { networks } = view.config;
  const { task: present, own } = networks[view.state.network];
  const fits = own || present === task || (!present && task === "shapes");
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
