// The visitor's own pictures: the last that were painted, kept in this browser and nowhere else. Anything may be in the storage, or none be there.

import { on } from "./events.js";
import { sameValue } from "./link.js";
import { link } from "./session.js";
import { view } from "./store.js";

/** @import { Pixels } from "../types.js" */

/** @typedef {{ levels: number[], link: string, network: string, at: number }} Painted `at`: when, in ms */

const KEY = "explorer-pictures";
export const MOST = 20;

/** @type {Pixels | null} */
let ongoing = null; // the picture after the last stroke: what is painted on it replaces it

export function startGallery() {
  on("painted", keep);
}

/** @returns {Painted[]} the newest first */
export function pictures() {
  try {
    const found = JSON.parse(window.localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter(isPainted).slice(0, MOST) : [];
  } catch {
    return [];
  }
}

/**
 * @param {any} found
 * @returns {found is Painted}
 */
function isPainted(found) {
  const { levels, link: query, network, at } = found ?? {};
  const top = view.config.levels;
  const isPicture = Array.isArray(levels) && levels.length === 64 && levels.every((level) => Number.isInteger(level) && level >= 0 && level <= top);
  return isPicture && typeof query === "string" && query.startsWith("?") && typeof network === "string" && Number.isFinite(at);
}

/**
 * Returns whether that worked: storage may be full, or forbidden.
 * @param {Painted[]} all
 */
export function store(all) {
  ongoing = null;
  try {
    if (all.length) window.localStorage.setItem(KEY, JSON.stringify(all));
    else window.localStorage.removeItem(KEY);
    return true;
  } catch {
    return false;
  }
}

/** What is painted next is another picture. */
export function endPicture() {
  ongoing = null;
}

const levelsOf = (/** @type {Pixels} */ pixels) => pixels.map((value) => Math.round(value * view.config.levels));

/** @param {Pixels} before what was there before the stroke */
function keep(before) {
  const { pixels, network } = view.state;
  if (sameValue(pixels, before) || pixels.every((value) => value === pixels[0])) return;
  const levels = levelsOf(pixels);
  const others = pictures().filter((picture) => !sameValue(picture.levels, levels));
  if (ongoing && sameValue(ongoing, before) && others.length && sameValue(others[0].levels, levelsOf(before))) others.shift();
  store([{ levels, link: link(), network, at: Date.now() }, ...others].slice(0, MOST));
  ongoing = pixels;
}
