// What can be asked of the class: the prediction of the lesson's step or the lab that is on the page, or where its attribution is.

import { below } from "../core/server.js";
import { hasAnswer, view } from "../core/store.js";

/** @import { Lessons, Pixels, State } from "../types.js" */

/** @typedef {{ key: string, kind: "choice" | "marks", title: string, choices?: string[], pixels?: number, picture?: Pixels, network?: string }} Question */
/** @typedef {{ state: State, method: string }} Asked what a question about marks was asked of: its picture's map can be computed again */

/** @type {Lessons | null} */
let lessons = null;
/** @type {Promise<void> | null} */
let fetching = null;

/**
 * Fetch the lessons once; a failure leaves them unknown until they are wanted again.
 * @returns {Promise<void>}
 */
export function fetchLessons() {
  fetching ??= readLessons();
  return fetching;
}

async function readLessons() {
  try {
    const response = await fetch(below(view.config.lessons));
    if (!response.ok) throw new Error(`lessons: ${response.status}`);
    lessons = await response.json();
  } catch {
    fetching = null;
  }
}

/** The lesson that is open; null before the lessons are there. */
export const openLesson = () => (lessons && Object.hasOwn(lessons.lessons, view.state.lesson) ? lessons.lessons[view.state.lesson] : null);

/** Of the open lesson or lab; "" where nothing is asked. */
export function keyOnPage() {
  const { lesson, lesson_step: step, tab, lab } = view.state;
  return lesson ? `lesson/${lesson}/${step}` : tab === "labs" && lab ? `lab/${lab}` : "";
}

/** Whether the visitor can answer it on the page itself. */
export function isAskedOnPage(/** @type {string} */ key) {
  if (key !== keyOnPage()) return false;
  const place = key.startsWith("lab/") ? `.lab-page[data-open="${view.state.lab}"] .lab-locked` : "#lesson-card[data-phase=predict]";
  return Boolean(document.querySelector(place)?.checkVisibility());
}

/**
 * The question on the page, with what it is about.
 * @returns {{ question: Question, about: string, asked: Asked | null } | null}
 */
export function questionOnPage() {
  const key = keyOnPage();
  if (!key || !hasAnswer()) return null;
  if (key.startsWith("lab/")) {
    const lab = view.config.labs[view.state.lab];
    return { question: { key, kind: "choice", title: lab.prediction, choices: lab.choices }, about: `Lab “${lab.title}”`, asked: null };
  }
  const lesson = openLesson();
  const step = lesson?.steps[view.state.lesson_step - 1];
  if (!lesson || !step) return null;
  const about = `${lesson.title}, step ${view.state.lesson_step}`;
  if (step.mark) return { question: marks(key, step.mark.pixels, plain(step.predict) || step.title), about, asked: { state: view.state, method: step.mark.map } };
  if (!step.choices.length) return null;
  return { question: { key, kind: "choice", title: plain(step.predict), choices: step.choices.map(({ text }) => plain(text)) }, about, asked: null };
}

/**
 * Where is the attribution of what is on the page?
 * @param {string} key
 * @param {number} pixels how many are to be marked
 * @returns {{ question: Question, asked: Asked }}
 */
export function whereOnPage(key, pixels) {
  return { question: marks(key, pixels, "Where do you expect the attribution?"), asked: { state: view.state, method: "integrated_gradients" } };
}

/**
 * @param {string} key
 * @param {number} pixels
 * @param {string} title
 * @returns {Question}
 */
const marks = (key, pixels, title) => ({ key, kind: "marks", title, pixels, picture: view.state.pixels, network: view.state.network });

/**
 * The words of a text of a lesson, which is HTML that the server made of Markdown.
 * @param {string} text
 */
function plain(text) {
  const made = document.createElement("template");
  made.innerHTML = text;
  return (made.content.textContent ?? "").replace(/\s+/g, " ").trim();
}
