// The colours of what scripts draw: greys of pictures, the diverging scale of signed maps, and the stylesheet's own.

import { on } from "../core/events.js";
import { theme } from "../core/theme.js";

/** @typedef {[number, number, number]} Rgb */
/** @typedef {import("../core/theme.js").Theme} Theme */

export const SHADES = 128; // on either side of 0

// Stops of the diverging scale, from − through 0 to +; the middle follows the theme.
const STOPS = {
  light: { minus: ["#0b3d78", "#2f7fbf", "#a9cfe6"], zero: "#f7f7f5", plus: ["#f6c3a4", "#d6603f", "#8e1023"] },
  dark: { minus: ["#9bd0ff", "#3f8fd6", "#20486e"], zero: "#1d222b", plus: ["#743524", "#e0704a", "#ffc9a8"] },
};

/**
 * @param {Rgb} a
 * @param {Rgb} b
 * @param {number} t
 */
const mix = (a, b, t) => /** @type {Rgb} */ (a.map((v, i) => Math.round(v + (b[i] - v) * t)));

/** @param {string} hex */
const rgb = (hex) => /** @type {Rgb} */ ([1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));

/** @param {string[]} stops */
function ramp(stops) {
  const colours = stops.map(rgb);
  return (/** @type {number} */ t) => {
    const at = t * (colours.length - 1);
    const i = Math.min(colours.length - 2, Math.floor(at));
    return mix(colours[i], colours[i + 1], at - i);
  };
}

/**
 * For a theme: 2 · SHADES + 1 fills from − to +, and for each the ink that can be read on it.
 * @param {Theme} name
 */
function makePalette(name) {
  const { minus, zero, plus } = STOPS[name];
  const down = ramp([zero, ...minus.slice().reverse()]);
  const up = ramp([zero, ...plus]);
  const fills = [];
  const inks = [];
  for (let i = -SHADES; i <= SHADES; i++) {
    const colour = i < 0 ? down(-i / SHADES) : up(i / SHADES);
    fills.push(`rgb(${colour.join()})`);
    inks.push(isDark(colour) ? "#fff" : "#111");
  }
  return { fills, inks };
}

/**
 * Which of black and white has the better contrast, by WCAG's relative luminance.
 * @param {Rgb} colour
 */
function isDark(colour) {
  const [r, g, b] = colour.map((v) => {
    const share = v / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b < 0.179;
}

const palettes = { light: makePalette("light"), dark: makePalette("dark") };
const greys = Array.from({ length: 256 }, (_, i) => `rgb(${i},${i},${i})`);

/** @param {Theme} [name] */
export const palette = (name = theme()) => palettes[name];

/** @param {number} value */
export const grey = (value) => greys[Math.round(255 * Math.min(1, Math.max(0, value)))];

export function signColours() {
  const { fills } = palette();
  return { minus: fills[Math.round(SHADES * 0.35)], plus: fills[Math.round(SHADES * 1.65)] };
}

/** @type {Map<string, string>} */
const inks = new Map(); // what the stylesheet says costs a look at all styles: it is asked once a theme

on("theme", () => inks.clear());

/**
 * A colour of the stylesheet.
 * @param {string} name
 */
export function ink(name) {
  const known = inks.get(name) ?? getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  inks.set(name, known);
  return known;
}
