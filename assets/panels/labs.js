// The tab Labs: the shelf, and the open lab: predict, try, see what happened, read why. A lab's own part is a script in labs/.

import { byId, element, smallButton, term, write } from "../core/dom.js";
import { emit, on } from "../core/events.js";
import { labKnown, startLabAnswers, wantLab } from "../core/lab_answers.js";
import { sentenceText } from "../core/numbers.js";
import { commitLooks, commitUnasked, update } from "../core/session.js";
import { hasAnswer, view } from "../core/store.js";
import { choose } from "./controls.js";
import { chosenSettings, refreshControls } from "./lab_controls.js";

/** @import { Lab, LabAnswer, LabHost, LabScript, Told, Value } from "../types.js" */

/** @typedef {{ root: HTMLElement, host: LabHost, show: (answer: LabAnswer) => void, shown: LabAnswer | null, valuesAt?: (pixel: number) => string[], step: (open: boolean) => void,
 * said: HTMLElement, predicted: HTMLElement, verdict: HTMLElement, more: HTMLElement, rest: HTMLElement, busy: HTMLElement, refusal: HTMLElement, failure: HTMLElement, slow: number, choices: HTMLButtonElement[] }} Page */

const SLOW = 500; // ms without an answer before a progress bar is shown
const SKIPPED = -1;
const FIRST = 2; // sentences above the figures, beside what happened; the others are below

/** @type {Map<string, Page>} */
const pages = new Map(); // of the labs that were opened
/** @type {Map<string, { choice: number, settings: string }>} */
const predictions = new Map(); // by lab, with what it was about; kept only here
/** @type {string | null} */
let told = null; // the lab whose question is above

const labs = () => view.config.labs;
const paragraph = (/** @type {string} */ text) => element("p", { text });

/**
 * A paragraph in which a term is explained where it is first met.
 * @param {string} text
 */
function explained(text) {
  const { lab_words: words } = view.config;
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}])(${Object.keys(words).join("|")})(?:s)?(?![\\p{L}\\p{N}])`, "gu");
  const met = new Set();
  /** @type {(Node | string)[]} */
  const parts = [];
  let end = 0;
  for (const { 0: whole, 1: word, index } of text.matchAll(pattern)) {
    if (met.has(words[word])) continue;
    met.add(words[word]);
    parts.push(text.slice(end, index), term(words[word], whole));
    end = index + whole.length;
  }
  return element("p", {}, ...parts, text.slice(end));
}

export function start() {
  startLabAnswers();
  on("lab", showOpen);
  on("state", (patch) => {
    if (!("lab" in patch) && !("tab" in patch) && !("lab_settings" in patch)) return;
    if (view.state.tab === "labs" && hasAnswer()) draw();
  });
}

export function draw() {
  buildShelf();
  const { lab } = view.state;
  const open = Object.hasOwn(labs(), lab) ? lab : "";
  byId("shelf-page").hidden = Boolean(open);
  byId("lab").hidden = !open;
  document.body.classList.toggle("in-lab", Boolean(open));
  if (open !== told) emit("sentence");
  told = open;
  if (!open) return wantLab(); // nothing is asked any more
  openPage(open);
  refreshControls(open);
  wantLab();
  redrawShown(open);
}

/** @returns {Told} */
export function sentence() {
  const open = labs()[view.state.lab];
  return { headline: open ? open.question : "Experiments that test what a map is worth.", second: open ? "" : "Each asks for your prediction first.", more: [] };
}

/**
 * Whether its experiment is open, after a prediction or without.
 * @param {string} name
 */
export const isPredicted = (name) => predictions.has(name);

/** @param {number} pixel */
export const valuesAt = (pixel) => pages.get(view.state.lab)?.valuesAt?.(pixel) ?? [];

// ---- the shelf

function buildShelf() {
  const shelf = byId("shelf");
  if (shelf.firstChild) return;
  for (const group of new Set(Object.values(labs()).map((lab) => lab.group))) {
    const cards = Object.entries(labs()).filter(([, lab]) => lab.group === group);
    shelf.append(element("section", {}, element("h2", { text: group }), element("div", { class: "cards" }, ...cards.map(([name, lab]) => card(name, lab)))));
  }
}

/**
 * @param {string} name
 * @param {Lab} lab
 */
function card(name, lab) {
  const text = element("span", {}, element("b", { text: lab.title }), element("span", { text: lab.question }), element("small", { text: `${lab.minutes} minutes` }));
  return element("button", { type: "button", class: "lab-card", "data-lab": name, onclick: () => openLab(name) }, emblem(lab.emblem), text);
}

/** @param {string} rows */
function emblem(rows) {
  const cells = [...rows.replaceAll(" ", "")].map((cell) => element("i", { class: cell === "#" ? "dark" : cell === "+" ? "light" : "" }));
  return element("span", { class: "emblem", "aria-hidden": "true" }, ...cells);
}

/** @param {string} name of the lab, "" for the shelf */
export function openLab(name) {
  const from = view.state.lab;
  update({ lab: name, lab_settings: {} });
  commitUnasked();
  window.scrollTo({ top: 0, behavior: "instant" });
  /** @type {HTMLElement | null} */ (name ? byId("lab").querySelector(`[data-open="${name}"] .lab-question`) : byId("shelf").querySelector(`[data-lab="${from}"]`))?.focus({ preventScroll: true });
}

// ---- an open lab

/** @param {string} name */
function openPage(name) {
  if (!pages.has(name)) {
    const page = buildPage(name);
    pages.set(name, page);
    byId("lab").append(page.root);
    loadScript(name, page);
  }
  pages.forEach((page, other) => (page.root.hidden = other !== name));
}

/**
 * @param {string} name
 * @param {Page} page
 */
async function loadScript(name, page) {
  try {
    const scripts = /** @type {Record<string, LabScript>} */ (/** @type {unknown} */ (await import("./labs/registry.js")));
    Object.assign(page, scripts[name].build(page.host), { shown: null }); // an answer may have come before
    page.failure.replaceChildren();
    showOpen();
  } catch (failure) {
    window.reportError(failure);
    page.failure.replaceChildren(
      paragraph("This lab’s script did not come."),
      smallButton("Try again", () => loadScript(name, page))
    );
  }
}

/**
 * @param {string} name
 * @returns {Page}
 */
function buildPage(name) {
  const lab = labs()[name];
  const choices = lab.choices.map((text, i) => element("button", { type: "button", class: "lab-choice", "aria-pressed": "false", text, onclick: () => predict(name, i) }));
  const skip = element("button", { type: "button", class: "lab-skip", text: "Skip", onclick: () => predict(name, SKIPPED) });
  const controls = element("div", { class: "lab-controls" });
  const figures = element("div", { class: "lab-figures" });
  const [said, predicted, verdict] = [element("p", { class: "lab-happened", role: "status" }), element("p"), element("p", { class: "lab-verdict" })];
  const [more, rest] = [element("ul", { class: "lab-more" }), element("ul", { class: "lab-more" })];
  const busy = element("div", { class: "lab-busy", role: "status", hidden: true }, element("label", {}, "Computing… ", element("progress")));
  const refusal = element("div", { class: "lab-refusal", role: "status" });
  const failure = element("div", { class: "lab-refusal", role: "status" });
  const try_ = step("2", "Try", controls);
  const happened = step(
    "3",
    "What happened",
    element("div", { class: "lab-beside" }, element("div", {}, element("h4", { text: "You predicted" }), predicted, verdict), element("div", {}, element("h4", { text: "It happened" }), said)),
    lab.looks.length ? element("p", { class: "quiet", text: "The controls change the figures below. These sentences are about what was asked." }) : null,
    more,
    busy,
    refusal,
    figures,
    rest
  );
  const why = step("", "Why", explained(lab.why));
  const locked = element("p", { class: "quiet lab-locked", text: "The experiment opens after your prediction, or when you skip it." });
  const papers = lab.papers.map(({ who, title, address }) =>
    element("li", {}, `${who}, `, address ? element("a", { href: address, target: "_blank", rel: "noopener noreferrer", text: title }) : title)
  );
  const caveat = step("", "Caveat", explained(lab.caveat), papers.length ? element("ul", { class: "lab-papers" }, ...papers) : null);
  const root = element(
    "article",
    { class: "lab-page", "data-open": name },
    element("div", { class: "lab-back" }, smallButton("‹ All labs", () => openLab(""))),
    element(
      "div",
      { class: "lab-left" },
      element("p", { class: "lab-kick", text: lab.title }),
      element("h2", { class: "lab-question", tabindex: "-1", text: lab.question }),
      step("1", "Your prediction", explained(lab.prediction), element("div", { class: "lab-choices", role: "group", "aria-label": "Your prediction" }, ...choices, skip))
    ),
    element("div", { class: "lab-right" }, failure, locked, try_, happened),
    element("div", { class: "lab-rest" }, why, caveat, next(name))
  );
  const host = hostOf(name, controls, figures);
  const open = (/** @type {boolean} */ on_) => {
    [try_, happened, why, caveat].forEach((part) => (part.hidden = !on_));
    locked.hidden = on_;
    skip.hidden = on_;
  };
  open(predictions.has(name));
  return { root, host, show: () => {}, shown: null, step: open, said, predicted, verdict, more, rest, busy, refusal, failure, slow: 0, choices };
}

/**
 * @param {string} number
 * @param {string} title
 * @param {(Node | null)[]} content
 */
function step(number, title, ...content) {
  return element("section", { class: "lab-step" }, element("h3", {}, number ? element("i", { text: number, "aria-hidden": "true" }) : null, title), ...content);
}

/** @param {string} name */
function next(name) {
  const names = Object.keys(labs());
  const following = names[(names.indexOf(name) + 1) % names.length];
  return element("p", { class: "lab-next" }, "Next: ", element("button", { type: "button", class: "lab-skip", text: labs()[following].title, onclick: () => openLab(following) }));
}

/**
 * @param {string} name
 * @param {HTMLElement} controls
 * @param {HTMLElement} figures
 * @returns {LabHost}
 */
function hostOf(name, controls, figures) {
  const { settings, looks } = labs()[name];
  const given = () => (view.state.lab === name ? view.state.lab_settings : {});
  return {
    name,
    controls,
    figures,
    value: (setting) => given()[setting] ?? settings.find((one) => one.name === setting)?.default,
    set: (patch, done = true) => {
      if (view.state.lab !== name) return;
      const silent = Object.keys(patch).every((setting) => looks.includes(setting));
      if (!done && !silent) return; // it is asked for when the slider is let go
      update({ lab_settings: chosenSettings(settings, { ...given(), .../** @type {Record<string, Value>} */ (patch) }) });
      if (done) commitLooks();
    },
  };
}

/**
 * @param {string} name
 * @param {number} choice
 */
function predict(name, choice) {
  predictions.set(name, { choice, settings: asksFor(name) });
  const page = /** @type {Page} */ (pages.get(name));
  page.step(true);
  page.choices.forEach((button, i) => {
    button.setAttribute("aria-pressed", String(i === choice));
    button.setAttribute("aria-disabled", "true");
  });
  showOpen();
  if (choice !== SKIPPED) emit("predicted", { key: `lab/${name}`, choice });
}

/**
 * The settings that an answer depends on, as text.
 * @param {string} name
 */
const asksFor = (name) => JSON.stringify(Object.entries(view.state.lab_settings).filter(([setting]) => !labs()[name].looks.includes(setting)));

/** @param {string} name */
function redrawShown(name) {
  const page = pages.get(name);
  if (page?.shown) page.show(page.shown);
}

/** Show what is known of the open lab. */
function showOpen() {
  const name = view.state.lab;
  const page = pages.get(name);
  if (!page || view.state.tab !== "labs" || !hasAnswer()) return;
  const reason = labs()[name].unsupported[view.state.network];
  const { answer, refusal, fresh } = labKnown();
  showBusy(page, !fresh && !reason);
  page.root.classList.toggle("stale", !fresh);
  page.host.figures.hidden = Boolean(reason) || (fresh && Boolean(refusal)) || !answer;
  page.refusal.replaceChildren(...(reason ? [paragraph(reason), instead(name)] : fresh && refusal ? [paragraph(refusal)] : []));
  const { choice = SKIPPED, settings = "" } = predictions.get(name) ?? {};
  write(page.predicted, choice === SKIPPED ? "You skipped it." : labs()[name].choices[choice]);
  const known = answer && !reason && !(fresh && refusal) ? answer : null;
  const [first, ...others] = known ? known.said.map(sentenceText) : [""];
  write(page.said, first);
  const list = others.map((text) => element("li", { text }));
  page.more.replaceChildren(...list.slice(0, FIRST));
  page.rest.replaceChildren(...list.slice(FIRST));
  const right = known?.outcome ?? null;
  const same = settings === asksFor(name);
  write(page.verdict, right === null || choice === SKIPPED ? "" : !same ? "That was about other settings." : right === choice ? "✓ As you predicted." : "✗ It came out otherwise.");
  if (!known || known === page.shown || !predictions.has(name)) return;
  page.shown = known;
  page.show(known);
}

/** @param {string} name */
const instead = (name) => smallButton("Open it with a network where it works", () => choose(labs()[name].instead));

/**
 * @param {Page} page
 * @param {boolean} waiting
 */
function showBusy(page, waiting) {
  if (!waiting) {
    clearTimeout(page.slow);
    page.slow = 0;
    page.busy.hidden = true;
  } else {
    page.slow ||= window.setTimeout(() => (page.busy.hidden = labKnown().fresh), SLOW);
  }
}
