// Numbers as text, packed numbers, and ranks.

const RAISED = /** @type {Record<string, string>} */ ({ "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" });

/**
 * Three significant digits, a true minus sign, powers of ten for the very small and large; never NaN.
 * @param {number | null | undefined} value
 * @param {number} [digits]
 */
export function number(value, digits = 3) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  if (Number(exponent) < -4 || Number(exponent) >= digits) {
    const power = String(Number(exponent)).replace(/[-\d]/g, (letter) => RAISED[letter]);
    return `${mantissa.replace("-", "−")}·10${power}`;
  }
  return value.toPrecision(digits).replace("-", "−");
}

/**
 * A round number as short as it can be written: ticks of an axis.
 * @param {number} value
 */
export const plain = (value) =>
  value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5) ? number(value, 1) : String(Number(value.toPrecision(3))).replace("-", "−");

/**
 * A whole number with its thousands apart; toLocaleString would load the browser's tables of languages.
 * @param {number} value
 */
export const grouped = (value) => (value < 1e6 ? String(value).replace(/\B(?=(\d{3})+$)/g, ",") : number(value, 1));

/**
 * @param {number} value
 * @param {number} [digits]
 */
export const signed = (value, digits) => (value > 0 ? "+" : "") + number(value, digits);

/** @param {number | null} share */
export function percent(share) {
  if (share === null || !Number.isFinite(share)) return "–";
  const value = 100 * share;
  if (Math.abs(share) < 1e-11) return "0 %"; // rounding of the sum itself
  const off = Math.abs(Math.abs(value) - 100); // close to 100 is not yet 100
  const rounded = off < 1 && off >= 0.05 ? value.toFixed(1) : Math.round(value);
  return `${value !== 0 && Math.abs(value) < 9.5 ? number(value, 2) : rounded} %`.replace("-", "−");
}

/**
 * A probability keeps its digits until it differs from 1: 0.99950, not 1.00.
 * @param {number} value
 */
export function probability(value) {
  if (value > 1 - 1e-12 && value < 1) return "≈ 1";
  if (value >= 0.999 && value < 1) return value.toFixed(Math.min(15, 1 - Math.floor(Math.log10(1 - value))));
  return number(value);
}

/**
 * A probability to three decimals; one digit where that is little, and never 0 where it is more.
 * @param {number} value
 */
export function chance(value) {
  if (value === 0) return "0";
  if (value < 1e-4) return "<0.0001";
  return value < 1e-3 ? value.toFixed(4) : value.toFixed(3);
}

/**
 * The same within a sentence.
 * @param {number} value
 */
export const saidChance = (value) => chance(value).replace("<", "less than ");

/**
 * An upper bound in two digits, one where it is small: rounded up, so that it holds.
 * @param {number} value at least 0
 */
export function bound(value) {
  if (!(value > 0)) return "0";
  const digits = value < 1e-3 ? 1 : 2;
  const decimalsOf = (/** @type {number} */ size) => digits - 1 - Math.floor(Math.log10(size) + 1e-12);
  const unit = 10 ** -decimalsOf(value);
  const up = Math.ceil(value / unit - 1e-9) * unit;
  return decimalsOf(up) > 7 ? number(up, digits) : up.toFixed(Math.max(0, decimalsOf(up)));
}

/**
 * A place on the path in per cent; within it no share is written as 0 or 100 %.
 * @param {number} alpha
 */
export const shareOfWay = (alpha) => `${alpha > 0 && alpha < 0.005 ? "under 1" : alpha > 0.995 && alpha < 1 ? "over 99" : Math.round(100 * alpha)} %`;

/**
 * A correlation, with two decimals.
 * @param {number} value
 */
export const correlation = (value) => (Math.abs(value) < 0.005 ? 0 : value).toFixed(2).replace("-", "−");

const FORMATS = /** @type {Record<string, (value: number) => string>} */ ({
  number,
  two: (value) => number(value, 2),
  whole: String,
  percent,
  probability,
  chance: saidChance,
  bound,
  correlation,
});

/**
 * A sentence of the server's: `{name:format}` in its text is one of its numbers.
 * @param {{ text: string, numbers: Record<string, number> }} sentence
 */
export const sentenceText = ({ text, numbers }) =>
  text.replace(/\{([^{}:]+)(?::(\w+))?\}/g, (_, name, format = "number") => FORMATS[format](numbers[name])).replace("= less than ", "< ");

/**
 * Base64 of little-endian float32, first the lowest byte of each, then the next: see plain_data.py.
 * @param {string} text
 */
export function floats(text) {
  const letters = atob(text);
  const count = letters.length / 4;
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[4 * (i % count) + Math.floor(i / count)] = letters.charCodeAt(i);
  return new Float32Array(bytes.buffer);
}

/**
 * The largest absolute value.
 * @param {Iterable<number>} values
 */
export function largest(values) {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}

/**
 * Spearman's, as in measures.py; null where one of the two is constant.
 * @param {number[]} one
 * @param {number[]} two
 */
export function rankCorrelation(one, two) {
  const [a, b] = [ranks(one), ranks(two)];
  const product = (/** @type {number[]} */ u, /** @type {number[]} */ v) => u.reduce((sum, value, i) => sum + value * v[i], 0);
  const lengths = Math.sqrt(product(a, a) * product(b, b));
  return lengths ? Math.max(-1, Math.min(1, product(a, b) / lengths)) : null;
}

/**
 * Ranks around 0; equal values share their mean rank.
 * @param {number[]} values
 */
export function ranks(values) {
  const order = values.map((_, i) => i).sort((i, j) => values[i] - values[j]);
  /** @type {number[]} */
  const found = new Array(values.length);
  for (let first = 0, next = 0; first < order.length; first = next) {
    while (next < order.length && values[order[next]] === values[order[first]]) next++;
    order.slice(first, next).forEach((i) => (found[i] = (first + next - order.length) / 2));
  }
  return found;
}
