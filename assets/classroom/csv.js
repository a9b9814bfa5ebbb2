// The wall as CSV: a line a picture, by alias.

/** @import { Picture } from "./pictures.js" */

const PIXELS = Array.from({ length: 64 }, (_, i) => `pixel ${i >> 3},${i % 8}`);
const HEAD = ["time", "alias", "network", "class", "P", "published", ...PIXELS];

/**
 * A text that begins so is a formula to spreadsheets, which would run it: an apostrophe makes it text.
 * @param {string} text
 */
const guarded = (text) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);

/** @param {string | number | boolean} value */
function cell(value) {
  if (typeof value !== "string") return String(value);
  const text = guarded(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** @param {Picture} picture */
const line = (picture) => [new Date(1000 * picture.at).toISOString(), picture.alias, picture.network, picture.class, picture.score, Boolean(picture.published), ...picture.pixels].map(cell);

/** @param {Picture[]} pictures */
export const wallCsv = (pictures) => [HEAD.map(cell), ...pictures.map(line)].map((cells) => `${cells.join(",")}\r\n`).join("");
