// How far the visitor is in each lesson; the tab keeps it until it is closed.

/** @typedef {{ at: number, done: number[], chosen: Record<number, number>, marks: Record<number, number[]>, told: boolean }} Progress */

const KEY = "explorer-lessons";
export const SKIPPED = -1;

/** @returns {Record<string, Progress>} */
function read() {
  try {
    const kept = JSON.parse(window.sessionStorage.getItem(KEY) ?? "{}");
    return Object.fromEntries(Object.entries(kept).filter(([, one]) => isProgress(one)));
  } catch {
    return {}; // storage is refused in some iframes
  }
}

/** @param {any} one */
const isProgress = (one) => Number.isInteger(one?.at) && Array.isArray(one.done) && one.done.every(Number.isInteger) && isObject(one.chosen) && isObject(one.marks);

/** @param {unknown} value */
const isObject = (value) => typeof value === "object" && value !== null;

/** @type {Record<string, Progress>} */
let all = read();

/**
 * @param {string} lesson
 * @returns {Progress}
 */
export const progressOf = (lesson) => (Object.hasOwn(all, lesson) ? all[lesson] : { at: 0, done: [], chosen: {}, marks: {}, told: false });

/**
 * @param {string} lesson
 * @param {Partial<Progress>} patch
 */
export function note(lesson, patch) {
  all = { ...all, [lesson]: { ...progressOf(lesson), ...patch } };
  try {
    window.sessionStorage.setItem(KEY, JSON.stringify(all));
  } catch {
    // then it lasts as long as the page
  }
}

/**
 * Forget a step, so that it can be done again.
 * @param {string} lesson
 * @param {number} step
 */
export function forget(lesson, step) {
  const { done, chosen, marks } = progressOf(lesson);
  const without = (/** @type {Record<number, any>} */ of) => Object.fromEntries(Object.entries(of).filter(([number]) => Number(number) !== step));
  note(lesson, { done: done.filter((number) => number !== step), chosen: without(chosen), marks: without(marks) });
}

/** @param {string} lesson */
export function forgetAll(lesson) {
  all = Object.fromEntries(Object.entries(all).filter(([name]) => name !== lesson));
  note(lesson, {});
}
