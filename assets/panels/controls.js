// The settings: what Dash's inputs say goes into the state; a state from elsewhere goes into the inputs.

import { equalBaselineSentences } from "../core/derived.js";
import { byId, inputById, write } from "../core/dom.js";
import { on } from "../core/events.js";
import { notice } from "../core/notices.js";
import { commit, update } from "../core/session.js";
import { hasStarted, view } from "../core/store.js";

/** @import { CallbackContext, State } from "../types.js" */

const NUMBERS = /** @type {const} */ ({ steps: "Steps m", samples: "Samples n", noise_level: "The noise level σ", seed: "The seed", baseline_seed: "The seed" });

/** @typedef {keyof typeof NUMBERS} NumberName */

/** @type {Record<string, unknown>} */
const inInputs = {}; // what Dash's inputs hold, as far as is known
let classesOf = ""; // the network whose classes the targets are; at first that of the layout

const numberNames = () => /** @type {NumberName[]} */ (Object.keys(NUMBERS));

/** @type {(id: string, props: object) => void} */
const setProps = (id, props) => window.dash_clientside.set_props?.(id, props);

export function startControls() {
  byId("new-seed").addEventListener("click", () => choose({ seed: (view.state.seed + 1) % (view.config.limits.seed[1] + 1) }));
  numberNames().forEach((id) => byId(id).addEventListener("blur", () => restore(id)));
  document.addEventListener("wheel", leaveField, { passive: true, capture: true });
  on("state", show);
  on("adopted", writeInputs);
  on("answer", () => write(byId("baseline-hint"), equalBaselineSentences().join(" ")));
}

/**
 * The wheel scrolls the page: browsers let it change a number, in places a slider or a select too, that has the focus.
 * @param {Event} event
 */
function leaveField({ target }) {
  if (target instanceof HTMLElement && target === document.activeElement && target.matches("input, select")) target.blur();
}

/**
 * Dash calls this with every input's value when one of them changes; only those that changed count.
 * @param {any[]} values
 * @param {CallbackContext} context
 */
export function controlsChanged(values, context) {
  if (!hasStarted()) return;
  const names = context.inputs_list.map((input) => input.id);
  const isNew = (/** @type {string} */ id) => values[names.indexOf(id)] !== inInputs[id]; // else it is this module's own writing come back
  const moved = context.triggered.map(({ prop_id }) => prop_id.split(".")[0]).filter(isNew);
  names.forEach((name, i) => (inInputs[name] = values[i]));
  /** @type {Partial<State>} */
  const patch = Object.assign({}, ...moved.map((id) => read(id, values[names.indexOf(id)])));
  const changes = Object.entries(patch).filter(([name, value]) => value !== view.state[/** @type {keyof State} */ (name)]);
  if (!changes.length) return;
  update(withConsequences(Object.fromEntries(changes)));
  writeInputs();
  commit();
}

/**
 * One input's value as a field of the state; nothing when it cannot be one, and the reason is shown.
 * @param {string} id
 * @param {any} value
 */
function read(id, value) {
  if (id in NUMBERS) return readNumber(/** @type {NumberName} */ (id), value);
  if (id === "target") return { target: value === "predicted" ? value : Number(value) };
  if (id === "clip") return { clip: Boolean(value) };
  return { [id]: value };
}

/**
 * @param {NumberName} name
 * @param {any} value
 */
function readNumber(name, value) {
  const [low, high] = view.config.limits[name];
  const number = Number(value);
  const whole = name !== "noise_level";
  const fits = value !== null && value !== "" && (whole ? Number.isInteger(number) : Number.isFinite(number)) && number >= low && number <= high;
  refuse(name, fits ? "" : `${NUMBERS[name]} must be a ${whole ? "whole " : ""}number from ${low} to ${high}; still using ${view.state[name]}.`);
  return fits ? { [name]: number } : {};
}

/**
 * A field that was left empty shows again what is in use.
 * @param {NumberName} id
 */
function restore(id) {
  if (inputById(id).value !== "" || inInputs[id] === view.state[id]) return;
  inInputs[id] = view.state[id];
  setProps(id, { value: view.state[id] });
  refuse(id, "");
}

/**
 * @param {string} name
 * @param {string} text
 */
function refuse(name, text) {
  const place = byId(`${name}-refusal`);
  if (place) write(place, text);
  else if (text) notice(text);
}

/**
 * A new network has other classes; a drawing can only be the baseline once there is one.
 * @param {Partial<State>} patch
 */
function withConsequences(patch) {
  if (patch.network) patch.target = "predicted"; // an index means something else there
  if (patch.network && !view.config.networks[patch.network].exact && view.state.rule === "exact") {
    patch.rule = view.config.defaults.rule;
    notice(`“${view.config.networks[patch.network].title}” has layers that the exact rule does not know: the rule is now “${patch.rule}”.`);
  }
  if (patch.baseline === "drawing" && !view.state.drawing) patch.drawing = view.state.pixels.slice();
  return patch;
}

/** @param {Partial<State>} patch */
export function choose(patch) {
  update(withConsequences(patch));
  writeInputs();
  commit();
}

/** Write the state into Dash's inputs; those that have the value already stay untouched. */
function writeInputs() {
  const { state } = view;
  const set = (/** @type {string} */ id, /** @type {unknown} */ value) => {
    if (inInputs[id] === value) return;
    inInputs[id] = value;
    setProps(id, { value });
  };
  showClasses();
  const fields = /** @type {const} */ (["network", "output", "baseline_seed", "rule", "steps", "samples", "noise_level", "seed", "clip", "scale"]);
  fields.forEach((name) => set(name, state[name]));
  set("target", String(state.target));
  numberNames().forEach((name) => refuse(name, ""));
}

function showClasses() {
  classesOf ||= view.config.defaults.network;
  if (classesOf === view.state.network) return;
  classesOf = view.state.network;
  setProps("target", { options: view.config.networks[classesOf].class_options });
}

function show() {
  const { state, config } = view;
  const network = config.networks[state.network];
  const accuracy = network.accuracy === null ? "" : ` Right on ${(100 * network.accuracy).toFixed(1)} % of ${network.held_out} held-out pictures.`;
  write(byId("network-hint"), network.about + accuracy);
  byId("baseline-seed-field").hidden = state.baseline !== "noise";
  inputById("steps").disabled = state.rule === "exact";
  const exact = byId("rule").querySelector("option[value=exact]");
  if (exact instanceof HTMLOptionElement) exact.disabled = !network.exact;
}
