// The tab Methods: six that each answer another question, then all: small maps with their figures; sorted, filtered, pinned to Compare.

import { byId, element, placeChildren, term, write } from "../core/dom.js";
import { emit, on } from "../core/events.js";
import { hasOptions, isWhole, readings, reasonAgainst, resultOf, shownOf, unitOf, wantMethods, whenQuiet } from "../core/method_results.js";
import { bound, largest, number, percent, signed } from "../core/numbers.js";
import { commitUnasked, isAsking, update } from "../core/session.js";
import { hasAnswer, view } from "../core/store.js";
import { PixelMap } from "../draw/map.js";
import { startConventions } from "./conventions.js";
import { openMethod } from "./method_dialog.js";

/** @import { Result, Told } from "../types.js" */

/** @typedef {{ root: HTMLElement, map: PixelMap, refusal: HTMLElement, pin: HTMLInputElement, label: HTMLElement, network: string }} Card */
/** @typedef {{ root: HTMLElement, map: PixelMap, figure: HTMLElement, network: string }} First */

const SLOPE = "F per unit of a pixel";
const FEW = 2; // methods in one question while only six are wanted: the last takes longer than the others together

/** @type {Record<string, Card>} */
const cards = {}; // by method
/** @type {Record<string, First>} */
const first = {};
const choice = { sort: "family", family: "", show: "all", text: "" };
/** @type {{ bar: HTMLProgressElement, text: HTMLElement, shown: HTMLElement }} */
let progress;
/** @type {Record<string, { root: HTMLElement, cards: HTMLElement }>} */
const groups = {}; // by family; "" for all in one
const none = element("p", { class: "quiet", text: "No method is like that." });
/** @type {string[]} */
let summary = []; // of all methods, once they are there

const methods = () => view.config.methods;
const shareOf = (/** @type {Result} */ result) => (result.expected_sum !== null && result.expected_sum !== undefined ? result.share : null);

/**
 * Each sorts by what it gives, the smallest first; what is not known comes last.
 * @type {Record<string, { title: string, ofMethod?: (name: string) => number | string, ofResult?: (result: Result) => number }>}
 */
const SORTS = {
  family: { title: "Family" },
  snr: { title: "Concentration, most first", ofResult: (result) => -result.snr },
  delta: { title: "Completeness, best kept first", ofResult: (result) => shareOf(result) ?? Infinity },
  passes: { title: "Cost, fewest passes first", ofResult: (result) => (result.forward ?? NaN) + (result.backward ?? NaN) },
  year: { title: "Year", ofMethod: (name) => methods()[name].year },
  name: { title: "Name", ofMethod: (name) => methods()[name].title },
};

/** @type {Record<string, [string, (name: string) => boolean]>} */
const SHOWN = {
  all: ["All", () => true],
  complete: ["Those that promise a sum", (name) => methods()[name].complete !== ""],
  invariant: ["Implementation invariant", (name) => methods()[name].invariant],
  variant: ["Not invariant", (name) => !methods()[name].invariant],
};

export function start() {
  startConventions();
  buildTools();
  if (isShown()) build();
  all().addEventListener("toggle", () => {
    if (!hasAnswer() || !isShown()) return;
    draw();
    want();
  });
  on("state", (patch) => {
    if (patch.network) [...Object.values(cards), ...Object.values(first)].forEach(({ map }) => map.clear()); // no old map under a new name
  });
  on("methods", (names) => {
    if (!isShown()) return;
    if (names === null || names.some((name) => !isWhole(name))) whenQuiet(want);
    if (names !== null) draw();
  });
  on("state", (patch) => patch.pinned && showPins());
  on("tab", (tab) => {
    if (tab !== "methods") return;
    build();
    if (hasAnswer() && !isAsking()) setTimeout(want); // the picture rests: no need to wait
  });
}

/** The maps of all methods, when they are first looked at: they would be a tenth of what opening the page costs. */
function build() {
  if (Object.keys(cards).length) return;
  Object.keys(methods()).forEach(buildCard);
  Object.entries(view.config.first).forEach(([name, texts]) => buildFirst(name, ...texts));
}

const isShown = () => view.state.tab === "methods";

const all = () => /** @type {HTMLDetailsElement} */ (byId("methods-all"));

/** The six, and all where they are seen. */
const wanted = () => (all().open ? [...new Set([...six(), ...Object.keys(methods())])] : six());

const six = () => Object.keys(view.config.first);

function want() {
  if (!isShown()) return;
  if (all().open) wantMethods(wanted());
  else wantMethods(wanted().filter((name) => !shownOf(name)), FEW);
}

/** @param {number} pixel */
export const valuesAt = (pixel) => (view.hovered ? readings([view.hovered], pixel) : ["point at a map to read its value"]);

/** @returns {Told} */
export const sentence = () => ({
  headline: "Each method asks the network another question.",
  second: `${onPath().map((name) => methods()[name].title).join(" and ")} ${onPath().length === 1 ? "is" : "are"} on the path’s scale, the other maps each on its own.`,
  more: summary,
});

// ---- the first six

/** Those that are drawn on the scale of the path's gradients. */
const onPath = () => six().filter((name) => unitOf(name) === SLOPE);

/**
 * @param {string} name
 * @param {string} question
 * @param {string} caveat
 */
function buildFirst(name, question, caveat) {
  const { title, paper } = methods()[name];
  const host = element("div");
  const open = element("button", { type: "button", class: "method-title", text: title, title: `${title} (${paper}): what it is`, onclick: () => openMethod(name) });
  const figure = element("p", { class: "quiet" });
  const magnifies = methods()[name].unit === SLOPE;
  const root = element("article", { class: "first" }, host, element("div", {}, element("h3", {}, open), element("p", { text: question }), element("p", { class: "quiet", text: `${paper}. ${caveat}` }), figure));
  const map = new PixelMap(host, { name, title, kind: "signed", bare: true, magnifies });
  map.onmagnify = () => hasAnswer() && drawFirst(name);
  map.clear();
  first[name] = { root, map, figure, network: "" };
  byId("methods-first").append(root);
}

/** @param {string} name */
function drawFirst(name) {
  const card = first[name];
  const { map, figure, root } = card;
  const result = shownOf(name);
  root.classList.toggle("waiting", !result);
  root.classList.toggle("refused", Boolean(result?.refusal));
  if (!result?.map) {
    if (card.network !== view.state.network) map.clear();
    return write(figure, result ? result.refusal : "on its way…");
  }
  card.network = view.asked.network;
  const size = largest(result.map);
  const sharing = onPath();
  const sizes = sharing.map((other) => largest(shownOf(other)?.map ?? []));
  map.set(result.map, sharing.includes(name) ? Math.max(view.path.scale, ...sizes) : size);
  const unit = methods()[name].explains === "logit" && view.asked.output === "probability" ? ", of the logit" : "";
  const faint = map.magnified !== 1 ? ": magnified to be seen" : map.faint ? ": too faint at the path’s scale" : "";
  write(figure, size ? `at most ${bound(size)}${unit}${faint}` : "0 everywhere");
}

/** Those that do not apply, in one line that opens. */
function drawUnsupported() {
  const names = Object.keys(methods()).filter(reasonAgainst);
  byId("methods-unsupported").hidden = !names.length;
  write(byId("methods-unsupported-count"), `${names.length} method${names.length === 1 ? " does" : "s do"} not apply to this network`);
  const { pinned } = view.state; // one that is pinned can be taken away from Compare here
  const lines = names.map((name) => element("li", { text: `${methods()[name].title}: ${reasonAgainst(name)}.` }, pinned.includes(name) ? cards[name].label : null));
  byId("methods-unsupported-list").replaceChildren(...lines);
  write(byId("methods-all-count"), `All ${Object.keys(methods()).length - names.length} methods that apply, by family`);
}

// ---- the tools above the maps

function buildTools() {
  const text = element("input", { type: "search", class: "form-control form-control-sm", oninput: () => choose("text", text.value.toLowerCase()) });
  progress = { bar: element("progress", { "aria-label": "Methods that have answered" }), text: element("span", { class: "quiet" }), shown: element("span", { class: "quiet" }) };
  byId("methods-tools").append(
    selectField("Sort by", "sort", Object.entries(SORTS).map(([value, { title }]) => [value, title])),
    selectField("Family", "family", [["", "All families"], ...view.config.families.map((family) => [family, family])]),
    selectField("Show", "show", Object.entries(SHOWN).map(([value, [title]]) => [value, title])),
    field("Find", "text", text),
    term("pin", "What is a pin?"),
    element("div", { class: "methods-count" }, progress.text, progress.shown),
    progress.bar
  );
}

/**
 * @param {string} label
 * @param {keyof typeof choice} name
 * @param {string[][]} options values and what they are called
 */
function selectField(label, name, options) {
  const input = element("select", { class: "form-select form-select-sm", onchange: () => choose(name, input.value) }, ...options.map(([value, text]) => element("option", { value, text })));
  return field(label, name, input);
}

/**
 * @param {string} label
 * @param {keyof typeof choice} name
 * @param {HTMLElement} input
 */
function field(label, name, input) {
  input.id = `methods-${name}`;
  return element("div", { class: "tool-field" }, element("label", { for: input.id, text: label }), input);
}

/**
 * @param {keyof typeof choice} name
 * @param {string} value
 */
function choose(name, value) {
  choice[name] = value;
  if (hasAnswer()) arrange();
}

// ---- the cards

/** @param {string} name */
function buildCard(name) {
  const { title, paper } = methods()[name];
  const open = element("button", { type: "button", class: "method-title", text: title, title: `${title} (${paper}): what it is`, onclick: () => openMethod(name) });
  const pin = element("input", { type: "checkbox", class: "form-check-input", onchange: () => setPinned(name, pin.checked) });
  const label = element("label", { class: "pin", title: `Show ${title} in Compare` }, pin, element("span", { text: "Pin" }, element("span", { class: "visually-hidden", text: ` ${title}` })));
  const root = element("div", { class: "method-card" }, element("div", { class: "method-head" }, open));
  const map = new PixelMap(root, { name, title, kind: "signed", bare: true, onselect: () => openMethod(name) });
  map.surface.classList.add("opens");
  map.clear(); // until there is something to be seen
  const refusal = element("p", { class: "method-refusal quiet", hidden: true });
  root.append(refusal, label);
  cards[name] = { root, map, refusal, pin, label, network: "" };
}

/**
 * @param {string} name
 * @param {boolean} on
 */
function setPinned(name, on) {
  const { pinned } = view.state;
  const next = on ? [...pinned, name] : pinned.filter((other) => other !== name);
  if (next.length >= 1 && next.length <= view.config.most_pinned) {
    update({ pinned: next });
    commitUnasked();
  }
  showPins();
}

function showPins() {
  const { pinned } = view.state;
  const full = pinned.length >= view.config.most_pinned;
  Object.entries(cards).forEach(([name, { pin, label }]) => {
    pin.checked = pinned.includes(name);
    const refused = hasAnswer() && reasonAgainst(name);
    const only = pinned.length === 1 && pin.checked;
    pin.disabled = (full && !pin.checked) || only || Boolean(refused && !pin.checked);
    const { title } = methods()[name];
    label.title = only ? "One has to stay" : full && !pin.checked ? `${pinned.length} are pinned: untick one of them first` : `Show ${title} in Compare`;
  });
}

export function draw() {
  if (!hasAnswer()) return;
  build();
  six().forEach(drawFirst);
  drawUnsupported();
  emit("sentence");
  if (!all().open) return;
  Object.keys(cards).forEach(drawCard);
  showPins();
  arrange();
  showProgress();
}

/** @param {string} name */
function drawCard(name) {
  const card = cards[name];
  const { root, map, refusal } = card;
  const result = isWhole(name) || reasonAgainst(name) ? resultOf(name) : undefined;
  root.classList.toggle("waiting", !result);
  refusal.hidden = !result?.refusal;
  map.root.hidden = !refusal.hidden;
  if (result?.refusal) refusal.textContent = result.refusal;
  if (!result?.map && card.network !== view.state.network) map.clear();
  if (!result?.map) return;
  card.network = view.asked.network;
  map.set(result.map, largest(result.map));
  map.describe({ caption: figuresOf(name, result) });
}

/**
 * The colour scale's limit, concentration, what the sum misses, and the passes, one line each.
 * @param {string} name
 * @param {Result} result
 */
function figuresOf(name, result) {
  const sum = result.expected_sum === null || result.expected_sum === undefined ? "no sum promised" : `Σ off by ${result.share === null ? signed(result.delta) : percent(result.share)}`;
  const unit = methods()[name].explains === "logit" && view.asked.output === "probability" ? ", logit" : "";
  const own = hasOptions(name) ? "\nown settings" : "";
  return `± ${number(largest(result.map))}${unit}\nconcentration ${number(result.snr)}\n${sum}\n${result.forward}+${result.backward} passes${own}`;
}

function showProgress() {
  const names = Object.keys(cards).filter((name) => !reasonAgainst(name));
  const ready = names.filter(isWhole).length;
  progress.bar.max = names.length;
  progress.bar.value = ready;
  progress.bar.classList.toggle("done", ready === names.length);
  write(progress.text, ready === names.length ? `${ready} methods` : `${ready} of ${names.length}`);
  summary = ready === names.length ? summarize(names) : [];
  emit("sentence");
}

/**
 * What all the answers together say, one sentence a line.
 * @param {string[]} names
 */
function summarize(names) {
  const results = names.flatMap((name) => {
    const result = resultOf(name);
    return result?.map ? [{ title: methods()[name].title, ...result }] : [];
  });
  const promised = results.filter(({ expected_sum }) => expected_sum !== null && expected_sum !== undefined);
  const kept = promised.filter(({ share, delta, mean }) => (share === null ? Math.abs(delta) <= 64e-9 * mean : share <= 0.01)); // to rounding, where it is 0
  const ranked = results.filter(({ snr }) => snr > 0).sort((a, b) => b.snr - a.snr);
  const [most, last] = [ranked[0], ranked[ranked.length - 1]];
  const ends = most ? [`The most concentrated map is that of ${most.title} (peak ÷ mean ${number(most.snr)}), the most diffuse that of ${last.title} (${number(last.snr)}).`] : [];
  const sums = `For ${promised.length} it is known what the map should sum to, for some roughly. ${kept.length} come within 1 % of it here.`;
  return [`${results.length} methods answer for this network.`, sums, ...ends];
}

// ---- order

function arrange() {
  const shown = Object.keys(cards).filter((name) => isChosen(name));
  write(progress.shown, countText(shown.length));
  /** @type {[string, string[]][]} */
  const wanted =
    choice.sort === "family" ? view.config.families.map((family) => [family, shown.filter((name) => methods()[name].family === family)]) : [["", sorted(shown)]];
  const seen = wanted.filter(([, names]) => names.length);
  seen.forEach(([family, names]) => placeChildren(groupOf(family).cards, names.map((name) => cards[name].root)));
  placeChildren(byId("methods-grid"), seen.length ? seen.map(([family]) => groupOf(family).root) : [none]);
}

/**
 * Where the page's text says how many there are, it says how many of them are seen.
 * @param {number} shown
 */
function countText(shown) {
  const applying = Object.keys(cards).filter((name) => !reasonAgainst(name)).length;
  return shown < applying ? `${shown} of ${applying} shown` : "";
}

/** @param {string} name */
function isChosen(name) {
  if (reasonAgainst(name)) return false; // those are listed below
  const { title, paper, family } = methods()[name];
  const said = `${title} ${paper} ${family}`.toLowerCase();
  return (!choice.family || family === choice.family) && SHOWN[choice.show][1](name) && said.includes(choice.text);
}

/** @param {string[]} names */
function sorted(names) {
  const worth = new Map(names.map((name) => [name, worthOf(name)]));
  return [...names].sort((one, two) => {
    const [a, b] = [worth.get(one) ?? Infinity, worth.get(two) ?? Infinity];
    if (typeof a !== typeof b) return typeof a === "string" ? -1 : 1;
    return a === b ? 0 : a < b ? -1 : 1;
  });
}

/**
 * What a method is sorted by; infinite where it is not known.
 * @param {string} name
 */
function worthOf(name) {
  const { ofMethod, ofResult } = SORTS[choice.sort];
  const result = resultOf(name);
  if (!result) return Infinity;
  if (ofMethod) return ofMethod(name);
  const value = result.map && ofResult ? ofResult(result) : Infinity;
  return Number.isNaN(value) ? Infinity : value;
}

/** @param {string} family */
function groupOf(family) {
  if (!groups[family]) {
    const head = family ? element("h3", { text: family[0].toUpperCase() + family.slice(1) }) : null;
    const held = element("div", { class: "method-cards" });
    groups[family] = { root: element("section", { class: "method-group" }, head, held), cards: held };
  }
  return groups[family];
}
