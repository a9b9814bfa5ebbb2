// Events between modules that do not import each other.

/** @import { Answer, Pixels, State } from "../types.js" */
/** @import { PixelMap } from "../draw/map.js" */

/**
 * What happens, and what listeners are given.
 * @typedef {{
 *   state: Partial<State>, adopted: void, asking: void, answer: Answer, step: number, pixel: number | null, tab: string,
 *   methods: string[] | null, sentence: void, theme: void, "other-version": string, outdated: void,
 *   lab: void, enlarge: PixelMap, painted: Pixels, predicted: { key: string, choice?: number, pixels?: number[] }, "step-done": { lesson: string, step: number }, playhead: void, present: boolean, "class-view": void,
 * }} Events
 * `state`: what changed; `adopted`: the state came from elsewhere than the controls; `methods`: whose results changed, null for
 * all; `other-version`: the server runs it; `outdated`: the page cannot show the answers of that version; `lab`: the
 * open lab's answer came, or is on its way; `painted`: a stroke ended, and the picture before it; `predicted`: what the visitor
 * expects in "lab/NAME" or "lesson/NAME/STEP"; `step-done`: a step of a lesson, whenever it is done; `playhead`: the visitor played, paused or moved it;
 * `present`: whether the page is presented now; `class-view`: the class is shown over the explorer, or no longer. A room listens to these.
 */

/** @type {Map<string, ((detail: any) => void)[]>} */
const listeners = new Map();

/**
 * Returns what ends the listening.
 * @template {keyof Events} Name
 * @param {Name} event
 * @param {(detail: Events[Name]) => void} listener
 */
export function on(event, listener) {
  const all = listeners.get(event) ?? [];
  listeners.set(event, all);
  all.push(listener);
  return () => void all.splice(all.indexOf(listener), 1);
}

/**
 * @template {keyof Events} Name
 * @param {Name} event
 * @param {Events[Name] extends void ? [] : [Events[Name]]} detail
 */
export function emit(event, ...detail) {
  [...(listeners.get(event) ?? [])].forEach((listener) => listener(detail[0]));
}
