// What a method is: its map large, its entry, and its own settings, opened from the Methods tab.

import { openDialog } from "../core/dialog.js";
import { element, pairs, term } from "../core/dom.js";
import { on } from "../core/events.js";
import { resultOf, setOption } from "../core/method_results.js";
import { largest, number, percent, signed } from "../core/numbers.js";
import { view } from "../core/store.js";
import { PixelMap } from "../draw/map.js";

/** @import { Method, Result, Setting, State, Value } from "../types.js" */

const NOTHING = new Array(64).fill(0);

/** @param {string} name */
export function openMethod(name) {
  const method = view.config.methods[name];
  const host = element("div", { class: "large" });
  const measured = element("dl");
  const content = element("div", { class: "method-entry" }, element("div", {}, host, measured), element("div", {}, entry(method), settings(name, method)));
  const dialog = openDialog(method.title, content);
  dialog.classList.add("wide");
  const map = new PixelMap(host, { name, title: method.title, kind: "signed", numbers: true, everyNumber: true, bare: true });
  const refusal = element("p", { class: "quiet" });
  host.append(refusal);
  const draw = () => {
    const result = resultOf(name);
    refusal.textContent = result?.refusal ?? "";
    map.root.hidden = Boolean(result?.refusal);
    map.root.classList.toggle("waiting", !result);
    map.set(result?.map ?? NOTHING, largest(result?.map ?? NOTHING));
    measured.replaceChildren(...(result?.map ? figures(result) : []));
  };
  draw();
  const ends = [on("methods", draw), on("adopted", () => dialog.close())]; // Back may change what it shows
  dialog.addEventListener("close", () => {
    map.remove();
    ends.forEach((end) => end());
  });
}

/** @param {Method} method */
function entry(method) {
  const everywhere = method.family === "perturbation" ? "" : " Not on a kink of F: the gradient there depends on the layers.";
  const invariant = method.invariant
    ? `Yes: networks that compute the same get the same map, to rounding.${everywhere}`
    : "No: the same function, written with other layers, may get another map.";
  return element(
    "dl",
    { class: "entry" },
    ...pairs([
      ["Formula", element("span", { class: "formula", text: method.formula, translate: "no" })],
      ["Paper", `${method.paper}. ${method.reference}`],
      ["Family", method.family],
      ["Unit", method.unit.replaceAll("F", method.explains === "logit" ? "logit" : "F") || "none: its parts have different ones"],
      ["Explains", method.explains === "logit" ? "the target’s logit, whichever output is chosen" : "F, the chosen output"],
      ["Sums to", method.complete || "nothing is promised"],
      ["Invariant", invariant],
      [term("passes", "Costs"), method.passes],
      ["Misleads", method.caveat],
    ])
  );
}

/** @param {Result} result */
function figures(result) {
  /** @type {[Node | string, string][]} */
  const lines = [
    [term("concentration", "Concentration"), number(result.snr)],
    ["Σ attribution", signed(result.total, 4)],
  ];
  if (result.expected_sum !== null && result.expected_sum !== undefined) {
    lines.push(["should be", signed(result.expected_sum, 4)], ["off by", `${signed(result.delta)}${result.share === null ? "" : ` (${percent(result.share)})`}`]);
  }
  if (result.noise !== null && result.noise !== undefined) lines.push(["|mean| ÷ error", number(result.noise)]);
  if (result.forward !== undefined) lines.push(["passes in all", `${result.forward} forward, ${result.backward} backward`]);
  return pairs(lines);
}

// ---- settings: those of the page are named, the method's own can be changed here

/**
 * @param {string} name
 * @param {Method} method
 */
function settings(name, method) {
  const given = view.state.options[name] ?? {};
  const shared = method.settings.filter((setting) => setting.shared);
  const ofPage = shared.filter((setting) => !(setting.name in given));
  const alone = shared.filter((setting) => setting.name in given);
  const parts = method.settings.filter((setting) => !setting.shared).map((setting) => field(name, setting));
  if (ofPage.length) {
    const said = ofPage.map(({ name: key, title }) => `${title}: ${valueText(name, key)}`);
    parts.push(element("p", { class: "quiet", text: `From the page’s settings: ${said.join("; ")}.` }));
  }
  if (alone.length) parts.push(element("p", { class: "quiet", text: `For this method alone: ${alone.map(({ name: key, title }) => `${title}: ${given[key]}`).join("; ")}.` }));
  return parts.length ? element("div", { class: "method-settings" }, element("h3", { text: "Settings" }), ...parts) : null;
}

/**
 * The exact rule is Integrated Gradients' own; others that take a rule then use Gauss–Legendre.
 * @param {string} method
 * @param {string} key
 */
function valueText(method, key) {
  const value = view.state[/** @type {keyof State} */ (key)];
  if (key === "rule" && value === "exact" && method !== "integrated_gradients") return "gauss-legendre (the exact rule is Integrated Gradients’ own)";
  return value === true ? "yes" : value === false ? "no" : value;
}

/**
 * @param {string} name of the method
 * @param {Setting} setting
 */
function field(name, setting) {
  const current = view.state.options[name]?.[setting.name] ?? setting.default;
  const problem = element("span", { class: "refusal", role: "alert" });
  const input = inputFor(setting, current, (value) => {
    const text = problemWith(setting, value);
    problem.textContent = text;
    if (!text) setOption(name, setting, value);
  });
  input.id = `option-${setting.name}`;
  return element("div", { class: "tool-field" }, element("label", { for: input.id, text: setting.title }), input, problem);
}

/**
 * @param {Setting} setting
 * @param {Value} current
 * @param {(value: Value) => void} changed
 */
function inputFor(setting, current, changed) {
  if (setting.kind === "truth") {
    const input = element("input", { type: "checkbox", class: "form-check-input", checked: current, onchange: () => changed(input.checked) });
    return input;
  }
  if (setting.kind === "choice") {
    const options = setting.choices.map((text) => element("option", { value: text, text, selected: text === current }));
    const select = element("select", { class: "form-select form-select-sm", onchange: () => changed(select.value) }, ...options);
    return select;
  }
  const input = element("input", {
    type: "number",
    class: "form-control form-control-sm",
    min: setting.low,
    max: setting.high,
    step: setting.kind === "whole" ? 1 : "any",
    value: current,
    onchange: () => changed(input.value === "" ? NaN : Number(input.value)),
  });
  return input;
}

/**
 * @param {Setting} setting
 * @param {Value} value
 */
function problemWith(setting, value) {
  if (setting.kind === "truth" || setting.kind === "choice") return "";
  const number = Number(value);
  const fits = Number.isFinite(number) && number >= setting.low && number <= setting.high && (setting.kind !== "whole" || Number.isInteger(number));
  return fits ? "" : `${setting.title} must be a ${setting.kind === "whole" ? "whole " : ""}number from ${setting.low} to ${setting.high}.`;
}
