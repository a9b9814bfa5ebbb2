// The charts: Plotly draws them when an answer comes; while playing only a cursor laid over them moves.

import { element, iconButton } from "../core/dom.js";
import { emit } from "../core/events.js";
import { plain } from "../core/numbers.js";
import { ink } from "./colours.js";

/** @import { PlotlyDrawing } from "../types.js" */

const MARGIN = { l: 46, r: 12, t: 8, b: 24 };

/**
 * Draw or redraw a chart in an element that belongs to scripts.
 * @param {HTMLElement} host
 * @param {object[]} traces
 * @param {{ margin?: object, xaxis?: object, yaxis?: object }} layout
 * @param {string} label says in words what it shows
 */
export function drawChart(host, traces, layout, label) {
  const axis = { gridcolor: ink("--grid"), zerolinecolor: ink("--line-strong"), linecolor: ink("--line-strong"), fixedrange: true };
  host.setAttribute("role", "img");
  host.setAttribute("aria-label", label);
  const drawing = host.querySelector(".drawing") ?? addDrawing(host);
  const size = { width: host.clientWidth, height: host.clientHeight };
  const whole = {
    ...size,
    margin: { ...MARGIN, ...layout.margin },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, sans-serif", size: 12, color: ink("--ink-soft") },
    showlegend: false,
    dragmode: false,
    bargap: 0.45,
    xaxis: { ...axis, ...layout.xaxis },
    yaxis: { ...axis, ...layout.yaxis },
  };
  window.Plotly.react(drawing, traces, whole, { staticPlot: true, displayModeBar: false });
  drawing.querySelectorAll(".main-svg").forEach((svg) => svg.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`)); // to be scaled on paper
}

/** @param {HTMLElement} host */
function addDrawing(host) {
  const drawing = element("div", { class: "drawing", translate: "no" }); // elements of a translation would not be drawn
  host.append(drawing);
  titleOf(host).after(iconButton("save", "Save the chart below as PNG", () => emit("save-chart", host)));
  return drawing;
}

/**
 * The heading of a chart.
 * @param {HTMLElement} host
 */
export const titleOf = (host) => /** @type {HTMLElement} */ (host.parentElement?.querySelector("h3"));

/**
 * What Plotly drew, if it did.
 * @param {HTMLElement} host
 */
export const drawingOf = (host) => /** @type {PlotlyDrawing} */ (host.querySelector(".drawing"));

/**
 * An axis from the smallest round numbers that hold these values, so that it rests while a picture changes. The ticks are
 * given: Plotly takes a quarter of its time to find some.
 * @param {number} low
 * @param {number} high
 * @param {number} pad below and, half of it, above: a share of the range
 */
export function calmAxis(low, high, pad) {
  const span = high - low || Math.abs(high) || 0.1;
  const power = 10 ** Math.floor(Math.log10(span / 2));
  const step = ([1, 2, 5, 10].find((s) => s * power >= span / 4) ?? NaN) * power;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  const margin = pad * (last - first) * step;
  return { range: [ticks[0] - margin, ticks[ticks.length - 1] + margin / 2], tickvals: ticks, ticktext: ticks.map(plain) };
}

/** α from the baseline to the input. */
export const pathAxis = { range: [0, 1], tickvals: [0, 0.25, 0.5, 0.75, 1], ticktext: ["α = 0", "0.25", "0.5", "0.75", "1"] };

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
  area.style.inset = `${MARGIN.t}px ${MARGIN.r}px ${MARGIN.b}px ${MARGIN.l}px`;
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
