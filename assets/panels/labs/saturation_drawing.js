// The drawing of the lab saturation: F with its tangent, or a plane of two pixels, and below it the gradient on the way with its area.

import { gradientOf, nodes, onPath, turnOf, outputOf } from "./toys.js";

/** @import { Toy } from "./toys.js" */

/** @typedef {{ toy: Toy, x: number[], start: number[], slope: number[], by: "exact" | "left" | "right", steps: number, area: number, told: string }} Shown */

const [WIDTH, LEFT, RIGHT] = [360, 36, 350];
const F = { top: 30, foot: 190 }; // px of the upper part …
const SLOPE = { top: 236, foot: 304, most: 1.3 }; // … and of the lower one
const PLANE = { left: 60, size: 160 };
const HEIGHT = 324;
const GRIP = 22; // px around a point in which a finger takes it
const SPACE = 0.25; // of F above and below the curve

/**
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number>} [attributes]
 * @param {(Node | string)[]} children
 */
function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  set(made, attributes);
  made.append(...children);
  return made;
}

/** @param {Element} part @param {Record<string, string | number>} attributes */
const set = (part, attributes) => Object.entries(attributes).forEach(([name, value]) => part.setAttribute(name, typeof value === "number" ? String(Math.round(100 * value) / 100) : value));

/** @param {[number, number][]} points */
const through = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`).join("");

/** @param {string} text @param {number} x @param {number} y @param {string} [anchor] @param {string} [kind] */
const label = (text, x, y, anchor = "middle", kind = "") => svg("text", { x, y, "text-anchor": anchor, class: kind }, text);

/** Built once; `show` only moves its parts, and draws axes anew for another function. */
export function drawing(/** @type {(patch: Record<string, number>, done: boolean) => void} */ move) {
  const axes = svg("g", { class: "axes" });
  const plane = svg("g");
  const area = svg("path", { class: "area" });
  const areaText = label("", 0, 0, "middle", "name");
  const slopes = svg("path", { class: "curve" });
  const curve = svg("path", { class: "curve" });
  const tangent = svg("path", { class: "tangent", "clip-path": "url(#toy-clip)" });
  const tangentText = label("", 0, 0, "end");
  const guides = svg("path", { class: "guides" });
  const way = svg("path", { class: "way" });
  const [start, x] = [handle("x′", svg("rect", { x: -7, y: -7, width: 14, height: 14 }), 26), handle("x", svg("circle", { r: 8 }), -15)];
  const clip = svg("clipPath", { id: "toy-clip" }, svg("rect", { x: LEFT, y: F.top, width: RIGHT - LEFT, height: F.foot - F.top }));
  const shades = svg("linearGradient", { id: "toy-shades", x1: 0, y1: 1, x2: 0.5, y2: 0.5 }, svg("stop", { offset: 0, class: "low" }), svg("stop", { offset: 1, class: "high" }));
  const parts = [area, slopes, curve, guides, way, tangent, tangentText, areaText, start, x];
  const root = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "toy-drawing", role: "img" }, svg("defs", {}, clip, shades), axes, plane, ...parts);
  /** @type {Shown} */
  let shown;
  /** @type {Toy | null} */
  let drawn = null;

  const reach = () => {
    const [low, high] = [outputOf(shown.toy, [0]), outputOf(shown.toy, [shown.toy.high])];
    return low === 0 && high < 1 ? [-0.55, 0.65] : [low - SPACE, high + SPACE];
  };
  const one = () => shown.toy.weights.length === 1;
  const across = (/** @type {number} */ value) => LEFT + ((RIGHT - LEFT) * value) / (one() ? shown.toy.high : 1);
  const up = (/** @type {number} */ value) => F.foot - ((F.foot - F.top) * (value - reach()[0])) / (reach()[1] - reach()[0]);
  const slopeUp = (/** @type {number} */ value) => SLOPE.foot - ((SLOPE.foot - SLOPE.top) * value) / SLOPE.most;
  const inPlane = (/** @type {number[]} */ [a, b]) => /** @type {[number, number]} */ ([PLANE.left + PLANE.size * a, F.foot - PLANE.size * b]);

  function drawAxes() {
    const { toy } = shown;
    const ticks = (/** @type {number} */ high) => Array.from({ length: high === 2 ? 5 : 3 }, (_, i) => i / 2);
    const below = ticks(one() ? toy.high : 1).map((at) => label(String(at), across(at), SLOPE.foot + 15));
    const foot = [svg("path", { d: `M${LEFT} ${SLOPE.foot}H${RIGHT}M${LEFT} ${slopeUp(1)}h-4` }), label("1", LEFT - 8, slopeUp(1) + 4, "end"), label("0", LEFT - 8, SLOPE.foot + 4, "end"), ...below];
    const name = label(one() ? "∂F/∂x" : "∂F/∂x₁ = ∂F/∂x₂ on the way, over α", LEFT - 28, SLOPE.top - 8, "start", "name");
    if (one()) {
      const levels = toy.high === 2 ? [0, 1] : [-0.5, 0, 0.5];
      const lines = levels.map((level) => svg("path", { d: `M${LEFT} ${up(level)}H${RIGHT}`, class: level ? "faint" : "" }));
      axes.replaceChildren(...lines, ...levels.map((level) => label(String(level).replace("-", "−"), LEFT - 12, up(level) + 4, "end")), ...foot, name, label("F(x)", LEFT - 28, F.top - 12, "start", "name"));
    } else {
      const [left, top] = inPlane([0, 1]);
      const sides = [0.5, 1].flatMap((at) => [label(String(at), inPlane([at, 0])[0], F.foot + 15), label(String(at), left - 7, inPlane([0, at])[1] + 4, "end")]);
      axes.replaceChildren(...sides, ...foot, name, label("x₁", left + PLANE.size + 12, F.foot + 15), label("x₂", left - 30, top + 6));
    }
    plane.replaceChildren(...(one() ? [] : planeParts()));
  }

  function planeParts() {
    const [left, top] = inPlane([0, 1]);
    const contours = [0.25, 0.5, 0.75].map((level) => svg("path", { d: through([inPlane([level, 0]), inPlane([0, level])]), class: "contour" }));
    const texts = [0.25, 0.5, 0.75].map((level) => label(String(level), left + PLANE.size * level - 4, F.foot - 5, "end", "small"));
    const edge = svg("path", { d: through([inPlane([1, 0]), inPlane([0, 1])]), class: "edge" });
    const key = [label("F = 1: flat", left + PLANE.size + 14, top + 30, "start"), label("beyond the line", left + PLANE.size + 14, top + 46, "start"), label("x₁ + x₂ = 1", left + PLANE.size + 14, top + 62, "start")];
    return [svg("rect", { x: left, y: top, width: PLANE.size, height: PLANE.size, class: "plane" }), ...contours, ...texts, edge, ...key];
  }

  function drawArea() {
    const { toy, x: to, start: from, by, steps } = shown;
    const place = (/** @type {number} */ alpha) => across(one() ? from[0] + alpha * (to[0] - from[0]) : alpha);
    const height = (/** @type {number} */ alpha) => slopeUp(gradientOf(toy, onPath(to, from, alpha))[0]);
    const turn = turnOf(toy, to, from) ?? 1;
    const ends = by === "exact" ? [0, turn, 1] : Array.from({ length: steps + 1 }, (_, k) => k / steps);
    const at = by === "exact" ? [turn / 2, (turn + 1) / 2] : nodes(steps, by);
    set(area, { d: at.map((alpha, k) => `M${place(ends[k]).toFixed(2)} ${SLOPE.foot}V${height(alpha).toFixed(2)}H${place(ends[k + 1]).toFixed(2)}V${SLOPE.foot}Z`).join("") });
    const size = (Math.abs(shown.area) < 5e-4 ? 0 : Number(shown.area.toFixed(2))).toString().replace("-", "−");
    areaText.textContent = `${one() ? "area" : "mean"} = ${size}`;
    const on = gradientOf(toy, onPath(to, from, turn / 2))[0] ? [0, turn] : [turn, 1]; // the part of the way that has an area
    set(areaText, { x: Math.min(RIGHT - 32, Math.max(LEFT + 32, (place(on[0]) + place(on[1])) / 2)), y: SLOPE.foot - 18 });
  }

  /** @param {Shown} now */
  function show(now) {
    shown = now;
    const { toy, x: to, start: from, slope } = now;
    root.setAttribute("aria-label", now.told);
    if (drawn?.weights.length !== toy.weights.length || drawn.high !== toy.high) drawAxes();
    drawn = toy;
    root.classList.toggle("two", !one());
    for (const part of [curve, tangent, tangentText, guides]) part.style.display = one() ? "" : "none";
    drawArea();
    if (one()) {
      const kink = -toy.bias / toy.weights[0];
      set(curve, { d: through([0, kink, toy.high].map((at) => [across(at), up(outputOf(toy, [at]))])) });
      const level = (/** @type {number} */ at) => slopeUp(gradientOf(toy, [at])[0]);
      const [low, high] = [level(kink / 2), level((kink + toy.high) / 2)];
      set(slopes, { d: `M${across(0)} ${low}H${across(kink)}V${high}H${across(toy.high)}` });
      const tangentAt = (/** @type {number} */ at) => up(outputOf(toy, to) + slope[0] * (at - to[0]));
      set(tangent, { d: through([0, toy.high].map((at) => [across(at), tangentAt(at)])) });
      tangentText.textContent = `tangent: slope ${slope[0]}`;
      set(tangentText, { x: RIGHT, y: F.top - 18 });
      set(guides, { d: [from, to].map(([at]) => `M${across(at)} ${up(outputOf(toy, [at]))}V${SLOPE.foot}`).join("") });
      set(way, { d: "" });
      place(start, across(from[0]), up(outputOf(toy, from)));
      place(x, across(to[0]), up(outputOf(toy, to)));
    } else {
      const turn = turnOf(toy, to, from) ?? 1;
      const level = (/** @type {number} */ alpha) => slopeUp(gradientOf(toy, onPath(to, from, alpha))[0]);
      set(slopes, { d: `M${across(0)} ${level(turn / 2)}H${across(turn)}V${level((turn + 1) / 2)}H${across(1)}` });
      const [[ax, ay], [bx, by]] = [inPlane(from), inPlane(to)];
      set(way, { d: `M${ax} ${ay}L${bx} ${by}` });
      place(start, ax, ay);
      place(x, bx, by);
    }
  }

  /** The point that is held follows the pointer. */
  const pointAt = (/** @type {PointerEvent} */ event, /** @type {Element} */ held) => {
    const box = root.getBoundingClientRect();
    const [left, top] = [((event.clientX - box.left) * WIDTH) / box.width, ((event.clientY - box.top) * HEIGHT) / box.height];
    const share = (left - LEFT) / (RIGHT - LEFT);
    if (one()) return { [held === x ? "x" : "start"]: share * shown.toy.high };
    return { x1: (left - PLANE.left) / PLANE.size, x2: (F.foot - top) / PLANE.size };
  };
  for (const held of [start, x]) {
    held.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false }); // else the page scrolls: touch-action does not work within SVG
    held.addEventListener("pointerdown", (event) => {
      if (held === start && !one()) return;
      held.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    held.addEventListener("pointermove", (event) => held.hasPointerCapture(event.pointerId) && move(pointAt(event, held), false));
    held.addEventListener("lostpointercapture", () => move({}, true));
  }
  return { root, show };
}

/** @param {string} name @param {SVGElement} shape @param {number} below px of its name below it */
function handle(name, shape, below) {
  return svg("g", { class: `grip ${name === "x" ? "input" : "baseline"}` }, svg("circle", { r: GRIP, class: "hold" }), shape, label(name, 0, below, "middle", "name"));
}

/** @param {Element} part @param {number} x @param {number} y */
const place = (part, x, y) => set(part, { transform: `translate(${x.toFixed(2)} ${y.toFixed(2)})` });
