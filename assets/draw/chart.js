// The charts, on canvases: a curve along the path, and bars. They are drawn when an answer comes; while playing only a
// cursor laid over them moves.

import { element } from "../core/dom.js";
import { number, plain } from "../core/numbers.js";
import { ink } from "./colours.js";

/**
 * @typedef {{ range: [number, number], ticks: number[], texts: string[] }} Axis
 * @typedef {{ x: ArrayLike<number>, y: ArrayLike<number> }} Line
 * @typedef {{ text: string, x: number, y: number, dy?: number, colour: string, align?: CanvasTextAlign }} Label a text at a point of the chart, `dy` px below it
 * @typedef {Line & {
 *   axis: Axis, colour: string, steps?: boolean, area?: boolean, switches?: number[], behind?: Line, labels?: Label[],
 *   tangent?: number, dots?: Line,
 * }} Curve
 * @typedef {{ names: string[], values: number[], colour: string }} Bars
 * @typedef {{ width: number, height: number, font: number }} Size in CSS pixels
 * `axis`: that of y, as x is α; `steps`: a value holds until the next x; `area`: what lies between the curve and 0 is filled;
 * `switches`: places of ticks at the foot; `behind`: another line over the same axes, filled; `tangent`: the slope at α = 1; `dots`:
 * points of interest.
 */

// The plotting area: the page's stylesheet sets a strip and a slider beside it by the same numbers.
const MARGIN = { right: 10, top: 6, bottom: 8 };
const leftOf = (/** @type {number} */ font) => Math.max(40, 2.9 * font); // --axis in the stylesheet
const BARS_FOOT = 24; // px for the axis below bars
const SPAN = 0.2; // of the path that a tangent covers
const MOST_RATIO = 3;
const NAME_GAP = 8; // px between a name or number and what it belongs to
const NUMBER_WIDTH = 64; // px for the number at a bar's end

/** α from the baseline to the input. */
const PATH_RANGE = /** @type {[number, number]} */ ([0, 1]);

/** @typedef {{ canvas: HTMLCanvasElement, size: Size, figure: Curve | Bars }} Chart */

/** @type {WeakMap<Element, Chart>} */
const charts = new WeakMap();

/**
 * Draw or redraw a chart in an element that belongs to scripts.
 * @param {HTMLElement} host
 * @param {Curve | Bars} figure
 * @param {string} label says in words what it shows
 */
export function drawChart(host, figure, label) {
  host.setAttribute("aria-label", label);
  const chart = charts.get(host);
  if (!chart) return addChart(host, figure);
  chart.figure = figure;
  paint(chart);
}

/**
 * @param {HTMLElement} host
 * @param {Curve | Bars} figure
 */
function addChart(host, figure) {
  const canvas = element("canvas", { class: "drawing" });
  const chart = { canvas, figure, size: { width: 0, height: 0, font: 12 } };
  charts.set(host, chart);
  host.setAttribute("role", "img");
  host.prepend(canvas);
  // the size is only asked for when it changes: asking in every stroke would force the page to be laid out
  new ResizeObserver(([{ contentRect }]) => {
    const { width, height } = contentRect;
    if (!width || !height) return;
    chart.size = { width, height, font: parseFloat(getComputedStyle(host).fontSize) };
    paint(chart);
  }).observe(host);
}

/**
 * The heading of a chart.
 * @param {HTMLElement} host
 */
const titleOf = (host) => host.parentElement?.querySelector("h3");

/**
 * What a chart was last given to show.
 * @param {Element} host
 */
export const figureOf = (host) => charts.get(host)?.figure;

/** @param {Chart} chart */
function paint({ canvas, size, figure }) {
  if (!size.width) return; // not laid out yet
  const ratio = Math.min(MOST_RATIO, window.devicePixelRatio || 1);
  const [width, height] = [Math.round(size.width * ratio), Math.round(size.height * ratio)];
  const context = contextOf(canvas);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  else context.clearRect(0, 0, width, height);
  context.save();
  context.scale(ratio, ratio);
  paintFigure(context, size, figure);
  context.restore();
}

/** @param {HTMLCanvasElement} canvas */
const contextOf = (canvas) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));

/**
 * A chart as a picture for slides: with its title, on the surface that it is seen on.
 * @param {HTMLElement} host
 */
export function pictureOf(host) {
  const chart = charts.get(host);
  if (!chart?.size.width) return null;
  const { width, height } = chart.size;
  const [scale, head] = [2, 32];
  const canvas = element("canvas", { width: scale * width, height: scale * (height + head) });
  const context = contextOf(canvas);
  context.scale(scale, scale);
  context.fillStyle = ink("--surface");
  context.fillRect(0, 0, width, height + head);
  context.fillStyle = ink("--ink-soft");
  context.font = "14px system-ui, sans-serif";
  context.fillText(titleOf(host)?.textContent ?? "", 10, 22);
  context.translate(0, head);
  paintFigure(context, chart.size, chart.figure);
  return canvas;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Size} size
 * @param {Curve | Bars} figure
 */
function paintFigure(context, size, figure) {
  context.font = `${size.font}px system-ui, sans-serif`;
  context.lineWidth = 1;
  if ("names" in figure) paintBars(context, size, figure);
  else paintCurve(context, size, figure);
}

// ---- a curve

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Size} size
 * @param {Curve} figure
 */
function paintCurve(context, { width, height, font }, figure) {
  const { axis, colour, area, behind, labels = [], switches = [], tangent, dots } = figure;
  const [left, right, top, foot] = [leftOf(font), width - MARGIN.right, Math.max(MARGIN.top, font / 2), height - MARGIN.bottom];
  const across = placer(PATH_RANGE, left, right);
  const up = placer(axis.range, foot, top);
  drawUp(context, axis, up, left, right);
  if (!figure.x.length) return;
  if (behind) {
    const path = pathOf(behind, across, up);
    fillBelow(context, path, behind, across, up, ink("--flare"), 1);
    context.lineWidth = 1.25;
    context.strokeStyle = ink("--accent");
    context.stroke(path);
  }
  const path = pathOf(figure, across, up);
  if (area) fillBelow(context, path, figure, across, up, colour, 0.45);
  context.strokeStyle = colour;
  context.lineWidth = area ? 1.5 : 2.25;
  context.lineJoin = "round";
  context.stroke(path);
  context.fillStyle = ink("--line-strong");
  for (const at of switches) context.fillRect(across(at) - 0.5, foot, 1, MARGIN.bottom - 2);
  if (tangent !== undefined) drawTangent(context, figure.y[figure.y.length - 1], tangent, across, up);
  context.fillStyle = ink("--accent");
  for (let i = 0; dots && i < dots.x.length; i++) drawDot(context, across(dots.x[i]), up(dots.y[i]), dots.x.length > 1 ? 2.5 : 5);
  context.font = `600 ${font}px system-ui, sans-serif`;
  labels.forEach((label) => drawLabel(context, label, across, up, left, right));
}

/**
 * @param {Line & { steps?: boolean }} line
 * @param {(value: number) => number} across
 * @param {(value: number) => number} up
 */
function pathOf({ x, y, steps }, across, up) {
  const path = new Path2D();
  for (let i = 0; i < x.length; i++) {
    if (i && steps) path.lineTo(across(x[i]), up(y[i - 1]));
    path.lineTo(across(x[i]), up(y[i]));
  }
  return path;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Path2D} path
 * @param {Line} line
 * @param {(value: number) => number} across
 * @param {(value: number) => number} up
 * @param {string} colour
 * @param {number} alpha
 */
function fillBelow(context, path, { x }, across, up, colour, alpha) {
  const filled = new Path2D(path);
  filled.lineTo(across(x[x.length - 1]), up(0));
  filled.lineTo(across(x[0]), up(0));
  context.fillStyle = colour;
  context.globalAlpha = alpha;
  context.fill(filled);
  context.globalAlpha = 1;
}

/**
 * A piece of the line that touches the curve at its end, and the point there.
 * @param {CanvasRenderingContext2D} context
 * @param {number} end
 * @param {number} slope
 * @param {(value: number) => number} across
 * @param {(value: number) => number} up
 */
function drawTangent(context, end, slope, across, up) {
  context.strokeStyle = context.fillStyle = ink("--accent");
  context.lineWidth = 3;
  context.lineCap = "round";
  context.beginPath();
  context.moveTo(across(1 - SPAN), up(end - SPAN * slope));
  context.lineTo(across(1), up(end));
  context.stroke();
  drawDot(context, across(1), up(end), 5);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 */
function drawDot(context, x, y, radius) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}

/**
 * A text with a rim of the surface's colour, so that it can be read on a curve; it stays within the plotting area.
 * @param {CanvasRenderingContext2D} context
 * @param {Label} label
 * @param {(value: number) => number} across
 * @param {(value: number) => number} up
 * @param {number} left
 * @param {number} right
 */
function drawLabel(context, { text, x, y, dy = 0, colour, align = "left" }, across, up, left, right) {
  const { width } = context.measureText(text);
  const [least, most] = align === "right" ? [left + width, right] : [left, right - width];
  const at = Math.max(least, Math.min(most, across(x)));
  context.textAlign = align;
  context.textBaseline = "middle";
  context.lineWidth = 4;
  context.lineJoin = "round";
  context.strokeStyle = ink("--surface");
  context.strokeText(text, at, up(y) + dy);
  context.fillStyle = colour;
  context.fillText(text, at, up(y) + dy);
}

/**
 * @param {[number, number]} range
 * @param {number} from px of its lower end
 * @param {number} to px of its upper end
 */
const placer = ([low, high], from, to) => (/** @type {number} */ value) => from + ((value - low) / (high - low)) * (to - from);

/** The middle of a device pixel, mostly, so that thin lines are sharp. */
const sharp = (/** @type {number} */ px) => Math.round(px) + 0.5;

/**
 * An axis below, with lines at its ticks.
 * @param {CanvasRenderingContext2D} context
 * @param {Axis} axis
 * @param {(value: number) => number} across
 * @param {number} top
 * @param {number} foot
 */
function drawAcross(context, { ticks, texts }, across, top, foot) {
  context.textAlign = "center";
  context.textBaseline = "top";
  ticks.forEach((tick, i) => {
    gridLine(context, tick === 0, sharp(across(tick)), top, sharp(across(tick)), foot);
    context.fillText(texts[i], across(tick), foot + 6);
  });
}

/**
 * An axis on the left, with lines at its ticks.
 * @param {CanvasRenderingContext2D} context
 * @param {Axis} axis
 * @param {(value: number) => number} up
 * @param {number} left
 * @param {number} right
 */
function drawUp(context, { ticks, texts }, up, left, right) {
  context.textAlign = "right";
  context.textBaseline = "middle";
  ticks.forEach((tick, i) => {
    gridLine(context, tick === 0, left, sharp(up(tick)), right, sharp(up(tick)));
    context.fillText(texts[i], left - 6, up(tick));
  });
}

/**
 * Strong where it is the axis; leaves the ink of texts behind.
 * @param {CanvasRenderingContext2D} context
 * @param {boolean} strong
 * @param {number} x
 * @param {number} y
 * @param {number} toX
 * @param {number} toY
 */
function gridLine(context, strong, x, y, toX, toY) {
  context.fillStyle = ink("--ink-soft");
  context.strokeStyle = ink(strong ? "--line-strong" : "--grid");
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(toX, toY);
  context.stroke();
}

/**
 * An axis from the smallest round numbers that hold these values, so that it rests while a picture changes.
 * @param {number} low
 * @param {number} high
 * @param {number} pad below and, half of it, above: a share of the range
 * @returns {Axis}
 */
export function calmAxis(low, high, pad) {
  const span = high - low || Math.abs(high) || 0.1;
  const power = 10 ** Math.floor(Math.log10(span / 2));
  const step = ([1, 2, 5, 10].find((s) => s * power >= span / 4) ?? NaN) * power;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  const margin = pad * (last - first) * step;
  return { range: [ticks[0] - margin, ticks[ticks.length - 1] + margin / 2], ticks, texts: ticks.map(plain) };
}

/**
 * The axis of F along the path: that of a probability is always the same.
 * @param {boolean} isProbability
 * @param {number[]} values
 * @param {number[]} ticks of a probability
 * @param {number} pad as for calmAxis
 * @returns {Axis}
 */
export const pathAxis = (isProbability, values, ticks, pad) =>
  isProbability ? { range: [0, 1 + pad], ticks, texts: ticks.map(plain) } : calmAxis(Math.min(0, ...values), Math.max(0, ...values), pad);

/**
 * Values at evenly spaced places of the path.
 * @param {number[]} y
 * @returns {Line}
 */
export const alongPath = (y) => ({ x: y.map((_, i) => i / (y.length - 1)), y });

// ---- bars

/**
 * Bars from left to right, the first on top, each with its number.
 * @param {CanvasRenderingContext2D} context
 * @param {Size} size
 * @param {Bars} figure
 */
function paintBars(context, { width, height }, { names, values, colour }) {
  const left = NAME_GAP + Math.max(0, ...names.map((name) => context.measureText(name).width));
  const [top, foot] = [4, height - BARS_FOOT];
  const axis = calmAxis(0, Math.max(0, ...values), 0);
  const across = placer(axis.range, left, width - NUMBER_WIDTH);
  drawAcross(context, axis, across, top, foot);
  const room = (foot - top) / names.length;
  context.textBaseline = "middle";
  names.forEach((name, i) => {
    const middle = top + (i + 0.5) * room;
    context.fillStyle = colour;
    context.fillRect(left, middle - 0.28 * room, across(values[i]) - left, 0.56 * room);
    context.fillStyle = ink("--ink-soft");
    context.textAlign = "right";
    context.fillText(name, left - NAME_GAP, middle);
    context.textAlign = "left";
    context.fillText(number(values[i]), across(values[i]) + NAME_GAP / 2, middle);
  });
}

// ---- the cursor

/**
 * A line over a chart at α, and a veil over what is not reached yet; dragging it scrubs.
 * @param {HTMLElement} host
 * @param {(alpha: number) => void} onscrub
 * @returns what moves it to an α
 */
export function addCursor(host, onscrub) {
  const line = element("div", { class: "cursor-line" });
  const veil = element("div", { class: "cursor-veil" });
  const area = element("div", { class: "cursor-area", "aria-hidden": "true" }, veil, line);
  host.append(area);
  const scrub = (/** @type {PointerEvent} */ event) => {
    const box = area.getBoundingClientRect();
    onscrub(Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)));
  };
  area.addEventListener("pointerdown", (event) => {
    area.setPointerCapture(event.pointerId);
    scrub(event);
  });
  area.addEventListener("pointermove", (event) => {
    if (area.hasPointerCapture(event.pointerId)) scrub(event);
  });
  return (/** @type {number} */ alpha) => {
    line.style.transform = `translateX(calc(${100 * alpha}% - ${2 * alpha}px))`; // the line itself is 2 px wide
    veil.style.transform = `scaleX(${1 - alpha})`;
  };
}
