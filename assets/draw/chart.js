// The charts, on canvases: a curve along the path, and bars. They are drawn when an answer comes; while playing only a
// cursor laid over them moves.

import { element, iconButton } from "../core/dom.js";
import { emit } from "../core/events.js";
import { number, plain } from "../core/numbers.js";
import { ink } from "./colours.js";

/**
 * @typedef {{ range: [number, number], ticks: number[], texts: string[] }} Axis
 * @typedef {{ x: ArrayLike<number>, y: ArrayLike<number>, axis: Axis, colour: string, steps?: boolean, area?: boolean, switches?: number[] }} Curve
 * @typedef {{ names: string[], values: number[], colour: string }} Bars
 * @typedef {{ width: number, height: number }} Size in CSS pixels
 * `axis`: that of y, as x is α; `steps`: a value holds until the next x; `area`: what lies between the curve and 0 is filled;
 * `switches`: places of ticks at the foot.
 */

const MARGIN = { left: 46, right: 12, top: 8, bottom: 24 };
const FONT = "12px system-ui, sans-serif";
const MOST_RATIO = 3;
const NAME_GAP = 8; // px between a name or number and what it belongs to
const NUMBER_WIDTH = 64; // px for the number at a bar's end

/** α from the baseline to the input. */
const PATH_AXIS = /** @type {Axis} */ ({ range: [0, 1], ticks: [0, 0.25, 0.5, 0.75, 1], texts: ["α = 0", "0.25", "0.5", "0.75", "1"] });

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
  const chart = { canvas, figure, size: { width: 0, height: 0 } };
  charts.set(host, chart);
  host.setAttribute("role", "img");
  host.prepend(canvas);
  titleOf(host).after(iconButton("save", "Save the chart below as PNG", () => emit("save-chart", host)));
  // the size is only asked for when it changes: asking in every stroke would force the page to be laid out
  new ResizeObserver(([{ contentRect }]) => {
    const { width, height } = contentRect;
    if (!width || !height) return;
    chart.size = { width, height };
    paint(chart);
  }).observe(host);
}

/**
 * The heading of a chart.
 * @param {HTMLElement} host
 */
const titleOf = (host) => /** @type {HTMLElement} */ (host.parentElement?.querySelector("h3"));

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
  context.fillText(titleOf(host).textContent ?? "", 10, 22);
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
  context.font = FONT;
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
function paintCurve(context, { width, height }, { x, y, axis, colour, steps, area, switches = [] }) {
  const [left, right, top, foot] = [MARGIN.left, width - MARGIN.right, MARGIN.top, height - MARGIN.bottom];
  const across = placer(PATH_AXIS.range, left, right);
  const up = placer(axis.range, foot, top);
  drawAcross(context, PATH_AXIS, across, top, foot);
  drawUp(context, axis, up, left, right);
  if (!x.length) return;
  const path = new Path2D();
  for (let i = 0; i < x.length; i++) {
    if (i && steps) path.lineTo(across(x[i]), up(y[i - 1]));
    path.lineTo(across(x[i]), up(y[i]));
  }
  context.strokeStyle = context.fillStyle = colour;
  if (area) {
    const filled = new Path2D(path);
    filled.lineTo(across(x[x.length - 1]), up(0));
    filled.lineTo(across(x[0]), up(0));
    context.globalAlpha = 0.45;
    context.fill(filled);
    context.globalAlpha = 1;
  }
  context.lineWidth = area ? 1.5 : 2;
  context.lineJoin = "round";
  context.stroke(path);
  const tick = 0.6 * (foot - up(axis.ticks[0]));
  context.fillStyle = ink("--ink-soft");
  for (const at of switches) context.fillRect(across(at) - 0.5, foot - tick, 1, tick);
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

// ---- bars

/**
 * Bars from left to right, the first on top, each with its number.
 * @param {CanvasRenderingContext2D} context
 * @param {Size} size
 * @param {Bars} figure
 */
function paintBars(context, { width, height }, { names, values, colour }) {
  const left = NAME_GAP + Math.max(0, ...names.map((name) => context.measureText(name).width));
  const [top, foot] = [4, height - MARGIN.bottom];
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
 * A line over the chart's plotting area at α, and a veil over what is not reached yet; dragging it scrubs.
 * @param {HTMLElement} host
 * @param {(alpha: number) => void} onscrub
 * @returns what moves it to an α
 */
export function addCursor(host, onscrub) {
  const line = element("div", { class: "cursor-line" });
  const veil = element("div", { class: "cursor-veil" });
  const area = element("div", { class: "cursor-area", "aria-hidden": "true" }, veil, line);
  area.style.inset = `${MARGIN.top}px ${MARGIN.right}px ${MARGIN.bottom}px ${MARGIN.left}px`;
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
    line.style.transform = `translateX(${100 * alpha}%)`;
    veil.style.transform = `scaleX(${1 - alpha})`;
  };
}
