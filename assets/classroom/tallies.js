// Counting what a class answered, marked, finished and reached. No page is needed for it.

/** @import { Score } from "./contests.js" */

/**
 * @param {number} part
 * @param {number} all
 */
export const percent = (part, all) => `${all ? Math.round((100 * part) / all) : 0} %`;

/**
 * The pixels that most marked, most first; those that nobody marked are left out.
 * @param {number[]} counts
 * @param {number} most
 */
export function mostMarked(counts, most) {
  const order = counts.map((_, i) => i).sort((a, b) => counts[b] - counts[a] || a - b);
  return order.slice(0, most).filter((i) => counts[i] > 0);
}

/**
 * How many of the pixels that the class marked most are among the strongest of the map, in words.
 * @param {number[]} marked
 * @param {number[]} top
 */
export function agreement(marked, top) {
  if (!marked.length || !top.length) return "";
  const both = marked.filter((i) => top.includes(i)).length;
  const chance = (marked.length * top.length) / 64;
  return `${both} of the class’s ${marked.length} most marked pixels ${both === 1 ? "is" : "are"} among the map’s ${top.length} strongest. By chance it would be about ${chance < 1 ? chance.toFixed(1) : Math.round(chance)}.`;
}

/**
 * How many students have finished each step.
 * @param {{ done?: Record<string, number[]> }[]} students
 * @param {string} lesson
 * @param {number} steps
 */
export const finished = (students, lesson, steps) => Array.from({ length: steps }, (_, i) => students.filter(({ done }) => done?.[lesson]?.includes(i + 1)).length);

/**
 * The time that is left, as minutes and seconds.
 * @param {number} seconds
 */
export const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

/**
 * Best first: in all challenges the smaller score is the better one, of two equal ones the earlier; as the server ranks them.
 * @param {Score[]} scores
 */
export const ranked = (scores) => scores.slice().sort((a, b) => a.score - b.score || (a.at ?? 0) - (b.at ?? 0) || (a.alias < b.alias ? -1 : 1));
