// The lab inside: the hidden units while α goes from the baseline to the picture, and the switches on the way. Playing asks nothing.

import { element, smallButton, write } from "../../core/dom.js";
import { place } from "../../core/grid.js";
import { number } from "../../core/numbers.js";
import { view } from "../../core/store.js";
import { PixelMap } from "../../draw/map.js";
import { Cells, CourseChart, Strip } from "./inside_canvas.js";
import { levelAt, nearestSwitch, onAt, switchesOf, unpack } from "./inside_way.js";

/** @import { LabAnswer, LabHost } from "../../types.js" */
/** @import { Way } from "./inside_way.js" */

const STEP = 0.005; // of the slider
const SECONDS = 8; // that the whole way takes
const LONGEST_FRAME = 500; // ms: after more than this nobody was looking
const CALM = { step: 0.05, every: 400 }; // for those who want no motion
const FRESH = 0.02; // of the way, for which a switch is seen
const NEAR = 0.03; // of the way, from a pointer to a tick

const short = (/** @type {number} */ alpha) => String(Math.round(1000 * alpha) / 1000);

/** Just behind a switch, so that a link has it behind it too. */
const behind = (/** @type {number} */ alpha) => Math.min(1, Math.ceil(1e4 * alpha) / 1e4);

/** @param {LabHost} lab */
export function build(lab) {
  /** @type {Way} */
  let way;
  /** @type {LabAnswer | null} */
  let answer = null;
  /** @type {Cells[]} */
  let cells = [];
  /** @type {{ layer: number, unit: number } | null} */
  let hovered = null;
  let picked = -1; // the switch that was gone to
  let playing = false;
  let position = 0;
  let last = 0; // when it was moved

  const alphaNow = () => (playing ? position : lab.value("alpha"));

  const player = playerOf(lab.name);
  const strip = new Strip({
    mark: (alpha, layer) => hover(alpha === null ? null : unitOfSwitch(near(alpha, layer))),
    choose: (alpha, layer) => (near(alpha, layer) < 0 ? go({ alpha }) : goToSwitch(near(alpha, layer))),
  });
  player.way.prepend(strip.canvas);
  const layers = element("div", { class: "units-layers" });
  const card = cardOf();
  const list = element("div", { class: "plot-table units-list" });
  const all = element("details", { class: "plot-numbers" }, element("summary", { text: "All switches" }), list);
  lab.controls.append(player.root);
  player.root.append(element("p", { class: "lab-note", text: "Each tick is one unit that switches: up, it turns on; down, it turns off. One row for each layer." }));
  lab.figures.append(element("div", { class: "inside" }, element("div", {}, layers, all), card.root));

  const near = (/** @type {number} */ alpha, /** @type {number} */ layer) => {
    const found = nearestSwitch(way, alpha, layer);
    return found >= 0 && Math.abs(way.alphas[found] - alpha) < NEAR ? found : -1;
  };
  const unitOfSwitch = (/** @type {number} */ k) => (k < 0 ? null : { layer: way.of[k], unit: way.units[k] });

  /** @param {Record<string, number>} patch @param {boolean} [done] */
  function go(patch, done = true) {
    stop();
    lab.set("alpha" in patch ? { ...patch, alpha: Math.round(1e4 * patch.alpha) / 1e4 } : patch, done);
  }

  /** @param {number} k @param {boolean} [done] */
  function goToSwitch(k, done = true) {
    picked = k;
    hovered = null;
    go(k < 0 ? { alpha: 0 } : { alpha: behind(way.alphas[k]), layer: way.of[k] + 1, unit: way.units[k] + 1 }, done);
  }

  /** @param {number} by the next or the one before, through all layers */
  function goToUnit(by) {
    const { layer, unit } = looked();
    const [to, count] = [unit + by, way.layers.length];
    if (to >= 0 && to < way.layers[layer].count) return lab.set({ layer: layer + 1, unit: to + 1 });
    const other = (layer + by + count) % count;
    lab.set({ layer: other + 1, unit: by > 0 ? 1 : way.layers[other].count });
  }

  /** @param {{ layer: number, unit: number } | null} unit */
  function hover(unit) {
    if (unit?.layer === hovered?.layer && unit?.unit === hovered?.unit) return;
    hovered = unit;
    if (answer) render();
  }

  /** The unit that is looked at: under a pointer, else chosen, else the first of its layer that switches. */
  function looked() {
    if (hovered) return hovered;
    const layer = Math.min(way.layers.length, lab.value("layer")) - 1;
    const unit = Math.min(way.layers[layer].count, lab.value("unit")) - 1;
    return unit < 0 ? (unitOfSwitch(way.of.indexOf(layer)) ?? { layer, unit: 0 }) : { layer, unit };
  }

  // ---- playing

  player.play.addEventListener("click", () => (playing ? go({ alpha: position }) : start()));
  player.alpha.addEventListener("input", () => go({ alpha: Number(player.alpha.value) }, false));
  player.alpha.addEventListener("change", () => go({ alpha: Number(player.alpha.value) }));
  player.turn.addEventListener("input", () => goToSwitch(Number(player.turn.value) - 1, false));
  player.turn.addEventListener("change", () => goToSwitch(Number(player.turn.value) - 1));
  player.turn.addEventListener("focus", () => player.turn.matches(":focus-visible") && answer && hover(unitOfSwitch(Number(player.turn.value) - 1)));
  player.turn.addEventListener("blur", () => hover(null));
  card.step.forEach((button, i) => button.addEventListener("click", () => answer && goToUnit(2 * i - 1)));

  function start() {
    if (!answer) return;
    position = alphaNow() < 1 ? alphaNow() : 0;
    playing = true;
    last = performance.now();
    window.requestAnimationFrame(frame);
    render();
  }

  function stop() {
    playing = false;
  }

  /** @param {number} now in ms */
  function frame(now) {
    if (!playing) return;
    if (view.state.tab !== "labs" || view.state.lab !== lab.name) return stop();
    const passed = now - last;
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (!calm || passed >= CALM.every) {
      last = now;
      position = Math.min(1, position + (calm ? CALM.step : passed <= LONGEST_FRAME ? passed / 1000 / SECONDS : 0));
      if (position >= 1) return go({ alpha: 1 });
      render();
    }
    window.requestAnimationFrame(frame);
  }

  // ---- what is seen

  function render() {
    const alpha = alphaNow();
    const { layer, unit } = looked();
    const on = onAt(way, alpha);
    const fresh = way.layers.map(({ count }) => new Uint8Array(count));
    way.alphas.forEach((at, k) => {
      if (at <= alpha && at > alpha - FRESH) fresh[way.of[k]][way.units[k]] = 1;
    });
    cells.forEach((one, i) => {
      const { peak } = way.layers[i];
      const strength = (/** @type {number} */ which) => (way.layers[i].z ? Math.max(0, levelAt(way.layers[i], which, alpha) ?? 0) / (peak || 1) : 1);
      one.units = { on: on[i], strength, switching: way.switching[i], fresh: fresh[i], marked: i === layer ? unit : -1 };
      one.draw();
      write(/** @type {Element} */ (layers.children[i].firstChild), `Layer ${i + 1}: ${on[i].reduce((sum, each) => sum + each, 0)} of ${on[i].length} on`);
    });
    const marked = switchesOf(way, layer, unit);
    strip.ticks = { alphas: way.alphas, of: way.of, turnsOn: way.turnsOn, layers: way.layers.length, alpha, marked };
    strip.draw();
    player.follow(way, alpha, picked >= 0 && behind(way.alphas[picked]) === alpha ? picked + 1 : way.alphas.filter((at) => at <= alpha).length, playing);
    card.show(way, /** @type {LabAnswer} */ (answer), { layer, unit, alpha, on: Boolean(on[layer][unit]), turns: marked });
  }

  function rebuild() {
    cells = way.layers.map(({ shape }, layer) => {
      const does = {
        mark: (/** @type {number | null} */ unit) => hover(unit === null ? null : { layer, unit }),
        choose: (/** @type {number} */ unit) => lab.set({ layer: layer + 1, unit: unit + 1 }),
        tell: (/** @type {number} */ unit) => card.tell(way, layer, unit, alphaNow()),
      };
      return new Cells(`Units of layer ${layer + 1}`, shape, does);
    });
    layers.replaceChildren(...cells.map(({ canvas }) => element("div", {}, element("h4"), canvas)), element("p", { class: "lab-note", text: legend() }));
  }

  const legend = () =>
    `${way.layers[0].z ? "The larger a square, the more the unit passes on; each layer has its own scale." : "A square: on. This network has too many units to show how strongly."} A dash: off. Coloured units switch on the way, grey ones never.`;

  function fillList() {
    if (!all.open || !answer) return;
    const rows = [...way.alphas.keys()].map((k) =>
      element(
        "tr",
        { onfocusin: () => hover(unitOfSwitch(k)), onfocusout: () => hover(null), onpointerenter: () => hover(unitOfSwitch(k)), onpointerleave: () => hover(null) },
        element("td", {}, element("button", { type: "button", class: "lab-skip", text: short(way.alphas[k]), onclick: () => goToSwitch(k) })),
        ...[way.of[k] + 1, way.units[k] + 1, way.turnsOn[k] ? "on" : "off"].map((text) => element("td", { text: String(text) }))
      )
    );
    const head = ["α", "layer", "unit", "turns"].map((text) => element("th", { text }));
    list.replaceChildren(element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows)));
  }
  all.addEventListener("toggle", fillList);

  const show = (/** @type {LabAnswer} */ now) => {
    if (now !== answer) {
      const shapes = JSON.stringify(answer?.layers.map((/** @type {any} */ { shape }) => shape));
      way = unpack(now);
      answer = now;
      picked = -1;
      hovered = null;
      if (shapes !== JSON.stringify(way.layers.map(({ shape }) => shape))) rebuild();
      fillList();
      strip.ticks = { alphas: way.alphas, of: way.of, turnsOn: way.turnsOn, layers: way.layers.length, alpha: 0, marked: [] };
      strip.resize(true);
    }
    render();
  };
  return { show };
}

/** @param {string} name */
function playerOf(name) {
  const play = smallButton("Play", () => {});
  const range = (/** @type {string} */ id, /** @type {string} */ title, /** @type {object} */ more) => {
    const input = element("input", { id: `lab-${name}-${id}`, type: "range", ...more });
    const shown = element("output", { for: input.id, translate: "no" });
    return { input, shown, root: element("div", { class: "lab-field lab-slider" }, element("label", { for: input.id, text: title }), input, shown) };
  };
  const alpha = range("alpha", "Place α on the way", { min: 0, max: 1, step: STEP });
  const turn = range("turn", "Switch by switch", { min: 0, max: 0, step: 1 });
  const way = element("div", { class: "units-way" }, alpha.root, turn.root);
  const follow = (/** @type {Way} */ { alphas, of, units, turnsOn }, /** @type {number} */ at, /** @type {number} */ passed, /** @type {boolean} */ playing) => {
    write(play, playing ? "Pause" : "Play");
    alpha.input.value = String(at);
    write(alpha.shown, `α = ${short(at)}`);
    turn.input.max = String(alphas.length);
    turn.input.disabled = !alphas.length;
    turn.input.value = String(passed);
    const k = passed - 1;
    const text = k < 0 ? `0 of ${alphas.length}` : `${passed} of ${alphas.length}: layer ${of[k] + 1}, unit ${units[k] + 1} turns ${turnsOn[k] ? "on" : "off"}`;
    write(turn.shown, text);
    turn.input.setAttribute("aria-valuetext", text);
  };
  return { root: element("div", { class: "units-player" }, play, way), way, play, alpha: alpha.input, turn: turn.input, follow };
}

/** What is said and drawn of one unit. */
function cardOf() {
  const title = element("h4");
  const step = [smallButton("‹", () => {}), smallButton("›", () => {})];
  step.forEach((button, i) => button.setAttribute("aria-label", i ? "Next unit" : "Previous unit"));
  const now = element("p", { class: "units-now" });
  const turns = element("p");
  const maps = element("div", { class: "lab-maps units-maps" });
  const drawn = element("h4", { text: "Its weighted sum on the way" });
  const chart = new CourseChart();
  const root = element("div", { class: "units-card" }, element("div", { class: "units-title" }, title, ...step), now, turns, drawn, chart.canvas, maps);
  const input = new PixelMap(maps, { name: "input", title: "Input at α", kind: "grey", plain: true });
  const weights = new PixelMap(maps, { name: "weights", title: "Its weights", kind: "signed", plain: true });
  const at = new Float64Array(64);

  const nameOf = (/** @type {Way} */ { layers }, /** @type {number} */ layer, /** @type {number} */ unit) => {
    const { shape } = layers[layer];
    return `Layer ${layer + 1}, unit ${unit + 1}${shape.length === 3 ? `: map ${Math.floor(unit / 64) + 1}, ${place(unit % 64)}` : ""}`;
  };
  const stateOf = (/** @type {number | null} */ level, /** @type {boolean} */ on) =>
    level === null ? (on ? "on" : "off") : on ? `on: it passes on ${number(Math.max(0, level))}` : `off: its sum is ${number(Math.min(0, level))}, it passes on 0`;
  const turnsOf = (/** @type {Way} */ way, /** @type {number[]} */ all, /** @type {boolean} */ on) =>
    all.length ? `Switches ${all.map((k) => `${way.turnsOn[k] ? "on" : "off"} at α = ${short(way.alphas[k])}`).join(", ")}.` : `Stays ${on ? "on" : "off"} all the way.`;

  /** @param {Way} way @param {LabAnswer} answer @param {{ layer: number, unit: number, alpha: number, on: boolean, turns: number[] }} what */
  function show(way, answer, { layer, unit, alpha, on, turns: all }) {
    const of = way.layers[layer];
    write(title, nameOf(way, layer, unit));
    write(now, stateOf(levelAt(of, unit, alpha), on));
    write(turns, turnsOf(way, all, on));
    answer.baseline.forEach((/** @type {number} */ from, /** @type {number} */ i) => (at[i] = from + alpha * (answer.input[i] - from)));
    input.set(at, 1);
    weights.root.classList.toggle("needless", layer > 0);
    if (!layer) weights.set(way.weights.subarray(64 * unit, 64 * (unit + 1)), way.limit);
    weights.describe({ caption: "one scale for all" });
    input.describe({ figure: `α = ${short(alpha)}` });
    const own = all.map((k) => way.alphas[k]);
    const cuts = [...new Set([...(of.z ? of.cuts : [0, 1]), ...own])].sort((a, b) => a - b);
    const level = (/** @type {number} */ place_) => (of.z ? (own.includes(place_) ? 0 : (levelAt(of, unit, place_) ?? 0)) : Number(onAt(way, place_)[layer][unit]));
    const levels = cuts.map(level);
    const [low, high] = [Math.min(0, ...levels), Math.max(0, ...levels)];
    write(drawn, of.z ? `Its weighted sum on the way: ${number(levels[0], 2)} to ${number(levels[levels.length - 1], 2)}` : "On or off on the way");
    const pad = 0.08 * (high - low) || 1;
    chart.course = { at: (place_) => levels[cuts.indexOf(place_)], cuts, limit: [low - pad, high + pad], alpha, steps: !of.z };
    chart.canvas.setAttribute("aria-label", `${drawn.textContent}. ${turns.textContent}`);
    chart.draw();
  }
  const tell = (/** @type {Way} */ way, /** @type {number} */ layer, /** @type {number} */ unit, /** @type {number} */ alpha) => {
    const on = Boolean(onAt(way, alpha)[layer][unit]);
    return `${nameOf(way, layer, unit)}: ${stateOf(levelAt(way.layers[layer], unit, alpha), on)}. ${turnsOf(way, switchesOf(way, layer, unit), on)}`;
  };
  return { root, step, show, tell };
}
