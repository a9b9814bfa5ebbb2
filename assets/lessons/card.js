// The card of a lesson: predict, act, reveal, explain. It lies beside the page, never over it as a dialog, and takes no focus by itself.

import { byId, element, smallButton, write } from "../core/dom.js";
import { view } from "../core/store.js";
import { markedGrid, markGrid, overlap, strongest } from "./marks.js";
import { SKIPPED } from "./progress.js";

/** @import { Lesson, LessonStep } from "../types.js" */
/** @import { Progress } from "./progress.js" */

/** @typedef {"predict" | "act" | "explain"} Phase */

/**
 * What the card tells the lesson.
 * @typedef {{
 *   choose: (choice: number) => void, mark: (marked: number[]) => void, go: (step: number) => void, again: () => void, leave: () => void,
 *   list: () => void, next: (() => void) | null, show: () => void,
 * }} Actions
 */

const LETTERS = "ABCDE";

/** @type {{ number: HTMLElement, title: HTMLElement, said: HTMLElement, asked: HTMLElement, foot: HTMLElement, size: HTMLElement } | null} */
let parts = null;
/** @type {Actions} */
let actions;
/** @type {Lesson} */
let current;

const html = (/** @type {string} */ text, /** @type {string} */ name = "") => {
  const made = element("div", { class: name || null });
  made.innerHTML = text; // the server made it of Markdown
  return made;
};

const root = () => byId("lesson-card");

function build() {
  const number = element("p", { class: "lesson-number" });
  const title = element("h2", { class: "lesson-title", tabindex: "-1" });
  const said = element("div", { class: "lesson-said", role: "status" });
  const asked = element("div", { class: "lesson-asked" });
  const foot = element("div", { class: "lesson-foot" });
  const size = smallButton("Smaller", () => setSmall(!root().classList.contains("small")));
  size.classList.add("lesson-size");
  const close = element("button", { type: "button", class: "btn-close", "aria-label": "Leave the lesson", title: "Leave the lesson", onclick: () => actions.leave() });
  root().append(element("div", { class: "lesson-head" }, element("div", {}, number, title), size, close), element("div", { class: "lesson-scroll" }, said, asked), foot);
  parts = { number, title, said, asked, foot, size };
  return parts;
}

/** @param {boolean} small on a phone the sheet can make room */
function setSmall(small) {
  root().classList.toggle("small", small);
  if (parts) write(parts.size, small ? "Larger" : "Smaller");
  parts?.size.setAttribute("aria-expanded", String(!small));
}

export function hideCard() {
  root().hidden = true;
  document.body.classList.remove("in-lesson", "lesson-marking");
}

export const focusCard = () => parts?.title.focus({ preventScroll: true });

/**
 * @param {Lesson} lesson
 * @param {number} at the step, from 1
 * @param {Progress} progress
 * @param {Phase} phase
 * @param {Actions} given
 */
export function showCard(lesson, at, progress, phase, given) {
  const { number, title, said, asked, foot } = parts ?? build();
  actions = given;
  current = lesson;
  const step = lesson.steps[at - 1];
  const held = root().contains(document.activeElement) && document.activeElement?.closest(".lesson-asked, .lesson-foot");
  root().hidden = false;
  setSmall(false);
  document.body.classList.add("in-lesson");
  document.body.classList.toggle("lesson-marking", Boolean(step.mark) && phase === "predict");
  root().setAttribute("aria-label", `Lesson: ${lesson.title}`);
  root().dataset.phase = phase;
  write(number, `${lesson.title} · step ${at} of ${lesson.steps.length}`);
  write(title, step.title);
  const words = phase === "predict" ? [html(step.text), html(step.predict, "lesson-question")] : phase === "act" ? acting(step, progress, at) : explaining(step, progress, at);
  said.replaceChildren(...words);
  asked.replaceChildren(...(phase === "predict" ? predicting(step) : phase === "act" ? [pointing(step)] : marksShown(step, progress, at)));
  foot.replaceChildren(dots(lesson, at, progress), ...buttons(lesson, at, progress, phase));
  const scroll = /** @type {HTMLElement} */ (said.parentElement);
  scroll.scrollTop = 0;
  if (scroll.scrollHeight > scroll.clientHeight) scroll.tabIndex = 0;
  else scroll.removeAttribute("tabindex"); // the keyboard comes to it only where there is something to scroll
  if (held && !root().contains(document.activeElement)) focusCard(); // what had the focus is gone
}

/**
 * @param {LessonStep} step
 * @returns {Node[]}
 */
function predicting(step) {
  const skip = element("button", { type: "button", class: "lab-skip", text: "Skip the prediction", onclick: () => actions.choose(SKIPPED) });
  if (!step.mark) {
    const choices = step.choices.map((choice, i) => {
      const button = element("button", { type: "button", class: "lesson-choice", onclick: () => actions.choose(i) }, element("i", { text: LETTERS[i] }), html(choice.text));
      return button;
    });
    return [element("div", { class: "lesson-choices", role: "group", "aria-label": "Your prediction" }, ...choices), skip];
  }
  const { pixels } = step.mark;
  /** @type {number[]} */
  let marked = [];
  const count = element("span", { role: "status", text: `0 of ${pixels} marked` });
  const compare = element("button", { type: "button", class: "button lesson-go", text: "Show the map", "aria-disabled": "true", onclick: () => marked.length === pixels && actions.mark(marked) });
  const grid = markGrid(view.state.pixels, pixels, (now) => {
    marked = now;
    write(count, `${marked.length} of ${pixels} marked`);
    compare.setAttribute("aria-disabled", String(marked.length !== pixels));
    compare.classList.toggle("lesson-primary", marked.length === pixels);
  });
  return [grid, element("div", { class: "lesson-marked" }, count, compare), ...(step.task ? [skip] : [])]; // without a task nothing would be left to do
}

/**
 * @param {LessonStep} step
 * @param {Progress} progress
 * @param {number} at
 */
function acting(step, progress, at) {
  const asks = step.choices.length || step.mark;
  const chosen = progress.chosen[at];
  const said = asks && chosen >= 0 && step.choices[chosen] ? html(`You predicted: ${step.choices[chosen].text}`, "quiet") : null;
  return [...(asks ? [] : [html(step.text)]), said, ...marksSaid(step, progress, at), html(step.task, "lesson-task")].filter((part) => part !== null);
}

/** @param {LessonStep} step */
const pointing = (step) => (step.points ? element("button", { type: "button", class: "lab-skip", text: "Show me where", onclick: () => actions.show() }) : "");

/**
 * @param {LessonStep} step
 * @param {Progress} progress
 * @param {number} at
 */
function explaining(step, progress, at) {
  const choice = step.choices[progress.chosen[at]];
  const verdict = !choice
    ? []
    : [html(`${choice.right ? "✓ As you predicted:" : "✗ You predicted:"} ${choice.text}`, choice.right ? "lesson-verdict" : "lesson-verdict wrong"), ...(choice.right ? [] : [html(choice.feedback, "lesson-feedback")])];
  const finished = isFinished(progress, at);
  return [html(`<b>Done.</b>`, "lesson-done"), ...verdict, ...marksSaid(step, progress, at), html(step.reveal), html(step.explain), ...(finished ? [html(finished, "lesson-end")] : [])];
}

/**
 * What is said at the end of a lesson.
 * @param {Progress} progress
 * @param {number} at
 */
function isFinished(progress, at) {
  const open = current.steps.map((_, i) => i + 1).filter((number) => !progress.done.includes(number));
  if (!open.length) return "<p><b>You finished this lesson.</b></p>"; // at any step, as the last one done need not be the last
  if (at < current.steps.length) return "";
  return `<p>Not done yet: ${open.length === 1 ? "step" : "steps"} ${open.join(", ")}.</p>`;
}

/**
 * @param {LessonStep} step
 * @param {Progress} progress
 * @param {number} at
 */
function marksSaid(step, progress, at) {
  const marked = progress.marks[at];
  return step.mark && marked ? [element("p", { class: "lesson-overlap", text: overlap(marked, topOf(step)) })] : [];
}

/** @param {LessonStep} step */
const topOf = (step) => (step.mark ? strongest(view.answer.methods[step.mark.map].map, step.mark.pixels) : []);

/**
 * @param {LessonStep} step
 * @param {Progress} progress
 * @param {number} at
 */
function marksShown(step, progress, at) {
  const marked = progress.marks[at];
  if (!step.mark || !marked) return [];
  const legend = element("p", { class: "mark-legend quiet" }, element("i", { class: "mark-cell yours", "aria-hidden": "true" }), " yours ", element("i", { class: "mark-cell strong", "aria-hidden": "true" }), ` the ${step.mark.pixels} strongest`);
  return [markedGrid(view.asked.pixels, marked, topOf(step)), legend];
}

/**
 * @param {Lesson} lesson
 * @param {number} at
 * @param {Progress} progress
 */
function dots(lesson, at, progress) {
  const made = lesson.steps.map((step, i) => {
    const done = progress.done.includes(i + 1);
    const label = `Step ${i + 1}: ${step.title}${done ? ", done" : ""}`;
    return element("button", { type: "button", class: "lesson-dot", title: label, "aria-label": label, "aria-current": i + 1 === at ? "step" : null, "data-done": String(done), onclick: () => actions.go(i + 1) });
  });
  return element("div", { class: "lesson-dots", role: "group", "aria-label": "Steps" }, ...made);
}

/**
 * @param {Lesson} lesson
 * @param {number} at
 * @param {Progress} progress
 * @param {Phase} phase
 */
function buttons(lesson, at, progress, phase) {
  const last = at === lesson.steps.length;
  const back = at > 1 ? smallButton("Back", () => actions.go(at - 1)) : null;
  const again = phase === "explain" ? smallButton("Again", () => actions.again()) : null;
  if (again) again.title = "Do this step again";
  const done = progress.done.includes(at);
  const next = last ? smallButton(actions.next && done ? "Next lesson" : "Lessons", () => (actions.next && done ? actions.next() : actions.list())) : smallButton(done ? "Next" : "Skip", () => actions.go(at + 1));
  next.classList.add("lesson-next");
  if (done) next.classList.add("lesson-primary");
  return [back, again, next].filter((button) => button !== null);
}

