// Lessons: fetched when the first one is opened. A lesson is in the state, so links open it and Back undoes its steps.

import { byId, element, say, smallButton } from "../core/dom.js";
import { openDialog } from "../core/dialog.js";
import { emit, on } from "../core/events.js";
import { sameValue } from "../core/link.js";
import { notice } from "../core/notices.js";
import { below } from "../core/server.js";
import { commitUnasked, take, takeInPlace, update } from "../core/session.js";
import { choosePixel, hasAnswer, view } from "../core/store.js";
import { maps } from "../draw/map.js";
import { finish } from "../panels/playback.js";
import { closeMenu } from "../panels/present.js";
import { focusCard, hideCard, showCard } from "./card.js";
import { isDone } from "./predicates.js";
import { forget, forgetAll, note, progressOf, SKIPPED } from "./progress.js";
import { begin, isFresh, noteStep, seen } from "./seen.js";

/** @import { Lessons, State } from "../types.js" */
/** @import { Phase } from "./card.js" */

// the group of hiding.py that a control is in, where it is not of the same name
const GROUPS = /** @type {Record<string, string>} */ ({ classes: "class", invert: "tools", baselines: "baseline", play: "player", steps: "rule", samples: "smoothgrad", noise: "smoothgrad" });
const OF_LESSON = /** @type {const} */ (["lesson", "lesson_step", "hide"]);

/** @type {Lessons | null} */
let data = null;
/** @type {Phase} */
let phase = "predict";
let shown = ""; // lesson and step on the card
/** @type {number | null} */
let scrolledFrom = null; // where the page stood before the control was brought into view
/** @type {Element | null} */
let ringed = null;

const lessonOf = (/** @type {string} */ name) => (data && Object.hasOwn(data.lessons, name) ? data.lessons[name] : null);

/** Fetch the lessons; a failure is for the caller, who can try again. */
export async function ready() {
  if (data) return;
  const response = await fetch(below(view.config.lessons));
  if (!response.ok) throw new Error(`lessons: ${response.status}`);
  data = await response.json();
  on("state", look);
  on("step", () => {
    noteStep();
    look();
  });
  on("pixel", look);
  on("lab", look);
  on("answer", look);
  document.addEventListener("click", () => window.requestAnimationFrame(look));
}

// ---- which lesson, at which step

/** Show what the state says: after a link, Back, or a choice. */
export function show() {
  const { lesson: name, lesson_step: step } = view.state;
  if (!name) return hide();
  const lesson = lessonOf(name);
  if (!lesson) {
    notice(`There is no lesson “${name}” here.`);
    return takeInPlace({ lesson: "", lesson_step: 1 });
  }
  const at = Math.min(step, lesson.steps.length);
  if (at !== step) return takeInPlace({ lesson_step: at });
  if (`${name} ${at}` === shown) return;
  const opening = isOpening();
  enter(name, at);
  if (opening) takeInPlace(startOf(name, at));
  begin();
  draw();
  showHalf();
  look();
  if (phase === "act") bring();
}

/** Whether a link names a lesson and nothing else. */
function isOpening() {
  const { defaults } = view.config;
  return Object.keys(defaults).every((key) => OF_LESSON.some((own) => own === key) || sameValue(view.state[/** @type {keyof State} */ (key)], defaults[/** @type {keyof State} */ (key)]));
}

/**
 * @param {string} name
 * @param {number} at
 */
function enter(name, at) {
  shown = `${name} ${at}`;
  note(name, { at });
  phase = phaseOf(name, at);
}

/**
 * What a step starts with: its own state, or that of the last step before that has one.
 * @param {string} name
 * @param {number} at
 * @returns {Partial<State>}
 */
function startOf(name, at) {
  const steps = lessonOf(name)?.steps.slice(0, at) ?? [];
  const start = steps.reverse().find((step) => step.start)?.start ?? {};
  const { lesson: _, lesson_step: __, hide: ___, ...usual } = view.config.defaults;
  return { ...usual, ...start };
}

/**
 * @param {string} name
 * @param {number} at
 * @param {boolean} [fresh] whether it starts with its own state, else with what is there unless it has one
 */
function goTo(name, at, fresh = true) {
  const own = lessonOf(name)?.steps[at - 1].start;
  const start = fresh || own ? startOf(name, at) : {};
  if (fresh || own) {
    if (hasAnswer()) finish();
    choosePixel(null);
    maps.forEach((map) => map.magnify(false));
  }
  shown = "";
  take({ ...start, lesson: name, lesson_step: at });
  show();
  focusCard(); // it was opened by a press
}

/** @param {number} at */
function goFrom(at) {
  const { lesson, lesson_step: now } = view.state;
  goTo(lesson, at, at !== now + 1);
}

function leave() {
  update({ lesson: "", lesson_step: 1 });
  commitUnasked();
  byId("lessons").focus();
}

function hide() {
  shown = "";
  ring(null);
  document.body.dataset.hide = view.state.hide.join(" "); // what the step needed is hidden again
  hideCard();
}

// ---- the step

/**
 * @param {string} name
 * @param {number} at
 * @returns {Phase}
 */
function phaseOf(name, at) {
  const step = /** @type {NonNullable<ReturnType<typeof lessonOf>>} */ (lessonOf(name)).steps[at - 1];
  const { done, chosen, marks } = progressOf(name);
  if (done.includes(at)) return "explain";
  const asks = step.choices.length || step.mark;
  return asks && chosen[at] === undefined && !marks[at] ? "predict" : "act";
}

/** Whether the open step is done now: looked at whenever something changes. */
function look() {
  const { lesson: name, lesson_step: at } = view.state;
  const lesson = lessonOf(name);
  if (!lesson || shown !== `${name} ${at}` || !isFresh()) return;
  point();
  if (phase !== "act") return;
  const { marks } = progressOf(name);
  if (!isDone(lesson.steps[at - 1].done, seen(marks[at]?.length ?? 0))) return;
  note(name, { done: [...new Set([...progressOf(name).done, at])] });
  phase = "explain";
  draw();
  goBack();
  tell(name);
  emit("step-done", { lesson: name, step: at });
}

function draw() {
  const { lesson: name, lesson_step: at } = view.state;
  const lesson = lessonOf(name);
  if (!lesson || !data) return;
  if (!hasAnswer()) return; // the first one draws it
  document.body.dataset.points = lesson.steps[at - 1].points; // what the stylesheet keeps in view
  const names = Object.keys(data.lessons);
  const following = names[names.indexOf(name) + 1];
  showCard(lesson, at, progressOf(name), phase, {
    choose: (choice) => predict({ chosen: { ...progressOf(name).chosen, [at]: choice } }),
    mark: (marked) => predict({ marks: { ...progressOf(name).marks, [at]: marked } }),
    go: goFrom,
    again: () => {
      forget(name, at);
      goTo(name, at);
    },
    leave,
    list: openList,
    next: following ? () => goTo(following, 1) : null,
    show: showWhere,
  });
  point();
}

/** @param {Partial<import("./progress.js").Progress>} patch */
function predict(patch) {
  const { lesson, lesson_step: at } = view.state;
  note(lesson, patch);
  phase = "act";
  draw();
  const [choice, pixels] = [patch.chosen?.[at], patch.marks?.[at]];
  if (choice !== SKIPPED) emit("predicted", { key: `lesson/${lesson}/${at}`, ...(pixels ? { pixels } : { choice }) });
  look();
  if (phase === "act") bring();
}

/**
 * Tell an embedding page, once, that the whole lesson is done.
 * @param {string} name
 */
function tell(name) {
  const { done, told } = progressOf(name);
  const steps = lessonOf(name)?.steps.length ?? 0;
  if (told || done.length < steps) return;
  note(name, { told: true });
  const origin = view.config.lms_origin;
  if (origin && window.parent !== window) window.parent.postMessage({ lesson: name, step: steps, done: true }, origin);
}

// ---- the control that it speaks of

const stepNow = () => lessonOf(view.state.lesson)?.steps[view.state.lesson_step - 1];

/** All controls of the page that the step speaks of. */
function controls() {
  const points = stepNow()?.points;
  return data && points ? [...document.querySelectorAll(data.controls[points])] : [];
}

/** The control; on a phone the menu, or the switch between two maps, that brings it. */
function target() {
  if (phase !== "act") return null;
  const all = controls();
  const seenOne = all.find((one) => one.checkVisibility({ visibilityProperty: true }));
  if (seenOne) return seenOne;
  if (all.some((one) => one.closest(".topbar"))) return byId("menu");
  return all.some((one) => one.closest(".cell-gradient, .cell-sum")) && byId("half").checkVisibility() ? byId("half") : null;
}

function point() {
  // what the step speaks of is shown, although a link hides its group: else the step could not be done
  const points = stepNow()?.points ?? "";
  document.body.dataset.hide = view.state.hide.filter((name) => name !== (GROUPS[points] ?? points)).join(" ");
  ring(target());
}

/** On a phone one of two maps stands beside the picture: the one that the step speaks of. */
function showHalf() {
  const half = stepNow()?.beside || (controls().some((one) => one.closest(".cell-gradient")) ? "gradient" : "sum");
  const input = /** @type {HTMLInputElement} */ (byId("half").querySelector(`[value=${half}]`));
  if (!input.checked) input.click();
}

/** @param {Element | null} control */
function ring(control) {
  if (control === ringed) return;
  ringed?.classList.remove("lesson-target");
  control?.classList.add("lesson-target");
  ringed = control;
}

/** Scroll to the control if it is outside of the window or below the card. */
function bring() {
  const control = target();
  if (!control) return;
  const [box, card] = [control.getBoundingClientRect(), byId("lesson-card").getBoundingClientRect()];
  const covered = box.right > card.left && box.left < card.right && box.bottom > card.top && box.top < card.bottom;
  if (box.top >= 0 && box.bottom <= window.innerHeight && !covered) return;
  const isSheet = window.getComputedStyle(byId("lesson-card")).position === "fixed" && card.right > box.left;
  const room = isSheet && card.top > 0 ? card.top : window.innerHeight;
  scrolledFrom ??= window.scrollY;
  window.scrollBy(0, box.height > room ? box.top : (box.top + box.bottom - room) / 2);
}

/** To the maps, which show what happened: without the menu, and where the page stood before. */
function goBack() {
  closeMenu();
  if (scrolledFrom !== null) window.scrollTo(0, scrolledFrom);
  scrolledFrom = null;
}

function showWhere() {
  const control = target();
  if (!control) return say("This control is not in view here.");
  bring();
  const inner = control.matches("button, input, select, [tabindex='0']") ? control : control.querySelector("button, input:not([type=hidden]), select, [tabindex='0']");
  /** @type {HTMLElement | null} */ (inner)?.focus({ preventScroll: true });
}

// ---- the list

export function openList() {
  if (!data) return;
  const all = Object.entries(data.lessons);
  const entries = (/** @type {typeof all} */ some) => element("ol", { class: some.some(([, lesson]) => lesson.own) ? "lesson-list" : "lesson-list numbered" }, ...some.map(([name]) => entry(name, () => dialog.close())));
  const own = all.filter(([, lesson]) => lesson.own);
  const dialog = openDialog("Lessons", entries(all.filter(([, lesson]) => !lesson.own)), ...(own.length ? [element("h3", { text: "Of your course" }), entries(own)] : []));
}

/**
 * @param {string} name
 * @param {() => void} close
 */
function entry(name, close) {
  const lesson = /** @type {NonNullable<ReturnType<typeof lessonOf>>} */ (lessonOf(name));
  const { at, done } = progressOf(name);
  const count = lesson.steps.length;
  const begun = at > 0 && done.length < count;
  const about = element("span", { class: "lesson-about" });
  about.innerHTML = lesson.about; // the server made it of Markdown
  const state = done.length === count ? "✓ done" : begun ? `${done.length} of ${count} steps done` : `${count} steps`;
  const open = (/** @type {number} */ step) => {
    close();
    goTo(name, step);
  };
  const again = () => {
    forgetAll(name);
    open(1);
  };
  const button = element("button", { type: "button", class: "lesson-entry", "data-lesson": name, onclick: () => open(begun ? at : 1) }, element("b", { text: lesson.title }), about, element("small", { text: `${lesson.minutes} minutes · ${state}${begun ? ` · resume at step ${at}` : ""}` }));
  return element("li", {}, button, at > 0 ? smallButton("From the start", again) : null);
}
