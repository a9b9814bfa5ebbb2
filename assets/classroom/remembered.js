// What a page keeps of a room for this tab, so that a reload finds it: by the room's code.

/** @import { Room } from "./parts.js" */

const KEY = "explorer-room-kept";

/** @returns {Record<string, any>} */
function kept() {
  try {
    return JSON.parse(window.sessionStorage.getItem(KEY) ?? "{}") ?? {};
  } catch {
    return {}; // storage is refused in some iframes
  }
}

/**
 * @param {Room} room
 * @param {string} name
 */
export const remembered = ({ code }, name) => (kept().code === code ? kept()[name] : undefined);

/**
 * @param {Room} room
 * @param {string} name
 * @param {any} value
 */
export function remember({ code }, name, value) {
  const before = kept();
  try {
    window.sessionStorage.setItem(KEY, JSON.stringify({ ...(before.code === code ? before : {}), code, [name]: value }));
  } catch {
    // then it lasts as long as the page
  }
}
