// The pictures that a class sent: what is kept of each, how they are sorted and counted, and what the explorer opens of one.

import { view } from "../core/store.js";

/** @import { Pixels, State } from "../types.js" */

/**
 * @typedef {{
 *   id: string, alias: string, at: number, network: string, predicted: number, class: string, score: number,
 *   pixels: Pixels, map: number[], state: Partial<State>, published?: boolean, hidden?: boolean,
 * }} Picture
 * `at`: epoch seconds; `score`: P of the predicted class; `map`: its attributions by Integrated Gradients. Those that a
 * student gets are published all.
 */
/** @typedef {"newest" | "oldest" | "class" | "highest" | "lowest"} Order */

const newest = (/** @type {Picture} */ a, /** @type {Picture} */ b) => b.at - a.at || (a.id < b.id ? -1 : 1);
const highest = (/** @type {Picture} */ a, /** @type {Picture} */ b) => b.score - a.score || newest(a, b);

/** @type {Record<Order, { title: string, compare: (a: Picture, b: Picture) => number }>} */
export const ORDERS = {
  newest: { title: "Time, newest first", compare: newest },
  oldest: { title: "Time, oldest first", compare: (a, b) => newest(b, a) },
  class: { title: "Class", compare: (a, b) => (a.class === b.class ? highest(a, b) : a.class < b.class ? -1 : 1) },
  highest: { title: "P, highest first", compare: highest },
  lowest: { title: "P, lowest first", compare: (a, b) => a.score - b.score || newest(a, b) },
};

const MOST_CLASSES = 6; // that a sentence names

/**
 * "6 vertical edge, 4 circle": the classes of some pictures, the most frequent first.
 * @param {Picture[]} pictures
 */
export function classesSentence(pictures) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  pictures.forEach((picture) => counts.set(picture.class, (counts.get(picture.class) ?? 0) + 1));
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const named = sorted.slice(0, MOST_CLASSES).map(([name, count]) => `${count} ${name}`);
  const others = sorted.slice(MOST_CLASSES).reduce((sum, [, count]) => sum + count, 0);
  return named.length ? `${[...named, ...(others ? [`${others} of other classes`] : [])].join(", ")}.` : "";
}

/**
 * "24 pictures from 19 of 27 people."
 * @param {Picture[]} pictures
 * @param {Iterable<string>} aliases of those who are in the room
 */
export function peopleSentence(pictures, aliases) {
  const senders = new Set(pictures.map((picture) => picture.alias));
  const people = new Set([...senders, ...aliases]).size; // who left may have sent some
  const of = senders.size === people ? counted(people, "person", "people") : `${senders.size} of ${counted(people, "person", "people")}`;
  return pictures.length ? `${counted(pictures.length, "picture")} from ${of}.` : `No pictures yet. ${people === 1 ? "1 person is" : `${people} people are`} in the room.`;
}

/**
 * @param {number} count
 * @param {string} one
 */
export const counted = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

/** What belongs to a picture: not the tab, lab or lesson that its student looks at. */
const OPENED = /** @type {const} */ (["pixels", "network", "target", "output", "baseline", "baseline_seed", "drawing", "steps", "rule", "samples", "noise_level", "seed", "clip"]);

/**
 * What the explorer is to show of a picture; labs ask questions of their own.
 * @param {Picture} picture
 * @returns {Partial<State>}
 */
export function openedState({ state }) {
  const known = Object.fromEntries(OPENED.filter((key) => state[key] !== undefined).map((key) => [key, state[key]]));
  return { ...known, ...(view.state.tab === "labs" ? { tab: "integrated", lab: "", lab_settings: {} } : {}) };
}
