// What the modules of asking use of the room: its parts, its clock, and how one acts in it.

import { write } from "../core/dom.js";

/**
 * The room, as far as it is used here: see room.js.
 * @typedef {{
 *   role: "teacher" | "student", code: string, alias: string | null, parts: Map<string, any>, offset?: number,
 *   on: (prefix: string, listener: (name: string, content: any) => void) => () => void, act: (name: string, body?: Record<string, any>) => Promise<any>, letGo?: () => void,
 * }} Room
 * `parts`: their contents, null for what was erased; `offset`: seconds that the server's clock is ahead of this one.
 */

/**
 * The parts that are not erased, by the rest of their names.
 * @param {Room} room
 * @param {string} prefix
 * @returns {[string, any][]}
 */
export const partsOf = (room, prefix) => [...room.parts].filter(([name, content]) => name.startsWith(prefix) && content).map(([name, content]) => [name.slice(prefix.length), content]);

/** @param {Room} room */
export const countStudents = (room) => partsOf(room, "student/").length;

/**
 * The server's time in epoch seconds.
 * @param {Room} room
 */
export const now = (room) => Date.now() / 1000 + (room.offset ?? 0);

/**
 * Call it at most once a frame, and in a hidden tab, too: there are no frames there.
 * @param {() => void} action
 */
export function soon(action) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    window.setTimeout(() => {
      waiting = false;
      action();
    }, 30);
  };
}

/**
 * Do something in the room; a refusal is written where it is looked for. Returns whether it was done.
 * @param {Room} room
 * @param {string} name
 * @param {Record<string, any>} body
 * @param {HTMLElement} where
 */
export async function acted(room, name, body, where) {
  try {
    await room.act(name, body);
    write(where, "");
    return true;
  } catch (failure) {
    write(where, /** @type {Error} */ (failure).message);
    return false;
  }
}
