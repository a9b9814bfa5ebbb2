// Controls for the settings of a lab: labelled native inputs that follow the state.

import { element, write } from "../core/dom.js";
import { number } from "../core/numbers.js";
import { view } from "../core/store.js";

/** @import { LabHost, Setting, Value } from "../types.js" */

/** @type {Map<string, (() => void)[]>} */
const followers = new Map(); // by lab: what writes the state into its controls

/** @param {string} name of the lab */
export const refreshControls = (name) => followers.get(name)?.forEach((follow) => follow());

/**
 * The place of the stop that is nearest to a value.
 * @param {number[]} stops
 * @param {number} value
 */
export function nearestStop(stops, value) {
  const off = stops.map((stop) => Math.abs(stop - value));
  return off.indexOf(Math.min(...off));
}

/**
 * A control for one setting: a slider, a choice, or a box to tick.
 * @param {LabHost} lab
 * @param {string} name of the setting
 * @param {{ texts?: Record<string, string>, step?: number, stops?: number[], text?: (value: number) => string }} [more] `texts`: of the
 * choices; `stops`: the only numbers to choose from; `text`: of a number
 */
export function labControl(lab, name, more = {}) {
  const setting = /** @type {Setting} */ (view.config.labs[lab.name].settings.find((one) => one.name === name));
  const { kind } = setting;
  const control = kind === "choice" ? choice(lab, setting, more.texts ?? {}) : kind === "truth" ? box(lab, setting) : slider(lab, setting, more);
  followers.set(lab.name, [...(followers.get(lab.name) ?? []), control.follow]);
  control.follow();
  return control.root;
}

/**
 * @param {LabHost} lab
 * @param {Setting} setting
 * @param {{ step?: number, stops?: number[], text?: (value: number) => string }} more
 */
function slider(lab, setting, { step, stops, text = (value) => number(value) }) {
  const id = `lab-${lab.name}-${setting.name}`;
  const each = setting.kind === "whole" ? 1 : (setting.high - setting.low) / 100;
  const range = stops ? { min: 0, max: stops.length - 1, step: 1 } : { min: setting.low, max: setting.high, step: step ?? each };
  const input = element("input", { id, type: "range", ...range });
  const shown = element("output", { for: id, translate: "no" });
  const chosen = () => (stops ? stops[Number(input.value)] : Number(input.value));
  const label = () => {
    write(shown, text(chosen()));
    input.setAttribute("aria-valuetext", text(chosen()));
  };
  input.addEventListener("input", () => {
    label();
    lab.set({ [setting.name]: chosen() }, false);
  });
  input.addEventListener("change", () => lab.set({ [setting.name]: chosen() }));
  const follow = () => {
    const value = lab.value(setting.name);
    if (chosen() !== value) input.value = String(stops ? nearestStop(stops, value) : value);
    label();
  };
  return { root: element("div", { class: "lab-field lab-slider" }, element("label", { for: id, text: setting.title }), input, shown), follow };
}

/**
 * @param {LabHost} lab
 * @param {Setting} setting
 * @param {Record<string, string>} texts
 */
function choice(lab, setting, texts) {
  const name = `lab-${lab.name}-${setting.name}`;
  const inputs = setting.choices.map((value) =>
    element("input", { type: "radio", class: "form-check-input", name, id: `${name}-${value}`, value, onchange: () => lab.set({ [setting.name]: value }) })
  );
  const options = inputs.map((input) =>
    element("div", { class: "form-check" }, input, element("label", { class: "form-check-label", for: input.id, text: texts[input.value] ?? input.value }))
  );
  const follow = () => inputs.forEach((input) => (input.checked = input.value === lab.value(setting.name)));
  return { root: element("fieldset", { class: "lab-field" }, element("legend", { text: setting.title }), element("div", { class: "segmented" }, ...options)), follow };
}

/**
 * @param {LabHost} lab
 * @param {Setting} setting
 */
function box(lab, setting) {
  const id = `lab-${lab.name}-${setting.name}`;
  const input = element("input", { id, type: "checkbox", class: "form-check-input", onchange: () => lab.set({ [setting.name]: input.checked }) });
  const follow = () => (input.checked = Boolean(lab.value(setting.name)));
  return { root: element("div", { class: "lab-field form-check" }, input, element("label", { class: "form-check-label", for: id, text: setting.title })), follow };
}

/**
 * The settings after a change, without those that have their defaults.
 * @param {Setting[]} all
 * @param {Record<string, Value>} given
 */
export const chosenSettings = (all, given) => Object.fromEntries(all.filter(({ name, default: usual }) => name in given && given[name] !== usual).map(({ name }) => [name, given[name]]));
