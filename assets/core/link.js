// The link that says a state, written here and read by link.py.

import { pictureName } from "./derived.js";

/** @import { Config, Options, Pixels, State } from "../types.js" */

/** @typedef {Pick<Config, "link" | "painted" | "defaults" | "link_version" | "alphabet" | "levels" | "patterns" | "digits">} LinkConfig */

/**
 * The query of a state, of what differs from the defaults.
 * @param {State} state
 * @param {LinkConfig} config
 */
export function linkOf(state, config) {
  const parts = new URLSearchParams();
  Object.entries(config.link).forEach(([field, key]) => {
    const name = /** @type {keyof State} */ (field);
    const value = state[name];
    if (sameValue(value, config.defaults[name]) || (name === "drawing" && value === null)) return;
    if (name === "pinned" || name === "hide") parts.set(key, state[name].join(","));
    else if (name === "options") parts.set(key, optionsText(state.options));
    else if (name === "lab_settings") parts.set(key, Object.entries(state.lab_settings).map(([setting, chosen]) => `${setting}:${textOf(chosen)}`).join(","));
    else if (Array.isArray(value)) {
      const pixels = /** @type {Pixels} */ (value);
      const { pattern } = pictureName(pixels, config);
      parts.set(name === "pixels" && !pattern ? config.painted : key, pattern || encode(pixels, config));
    } else parts.set(key, textOf(value));
  });
  parts.set("v", config.link_version); // last, so that the server knows a link that was cut off
  return `?${parts}`;
}

/**
 * Whether two values of a state are equal.
 * @param {unknown} a
 * @param {unknown} b
 */
export const sameValue = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/**
 * Whether two links are equal, whatever order their parts have.
 * @param {string} link
 * @param {string} other
 */
export const sameLink = (link, other) => String([...new URLSearchParams(link)].sort()) === String([...new URLSearchParams(other)].sort());

/** @param {unknown} value */
const textOf = (value) => String(typeof value === "boolean" ? Number(value) : value);

/** @param {Options} options */
const optionsText = (options) =>
  Object.entries(options)
    .flatMap(([method, own]) => Object.entries(own).map(([name, value]) => `${method}.${name}:${textOf(value)}`))
    .join(",");

/**
 * How many levels less one, each level as two letters, a letter a pixel.
 * @param {Pixels} pixels
 * @param {Pick<Config, "alphabet" | "levels">} config
 */
export function encode(pixels, { alphabet, levels }) {
  const all = pixels.map((value) => Math.round(value * levels));
  const colours = [...new Set(all)];
  const letters = colours.map((level) => alphabet[Math.floor(level / 64)] + alphabet[level % 64]);
  return alphabet[colours.length - 1] + letters.join("") + all.map((level) => alphabet[colours.indexOf(level)]).join("");
}
