// What can be saved: a map or a chart as PNG, the attributions as CSV or JSON; and a map enlarged.

import { openDialog } from "../core/dialog.js";
import { className, outputName } from "../core/derived.js";
import { address, download, fileName } from "../core/download.js";
import { byId, element, smallButton } from "../core/dom.js";
import { on } from "../core/events.js";
import { hasOptions, knownResults, resultOf } from "../core/method_results.js";
import { floats, number } from "../core/numbers.js";
import { completeAnswer } from "../core/session.js";
import { hasAnswer, view } from "../core/store.js";
import { pictureOf } from "../draw/chart.js";
import { PixelMap } from "../draw/map.js";
import { paintMap } from "../draw/paint.js";

// How numbers are written in a CSV file, and what stands between them.
const POINTS = { separator: ",", point: "." };
const COMMAS = { separator: ";", point: "," };

export function startExport() {
  const curve = smallButton("Curve along the path as PNG", () => saveChart(byId("path-chart")));
  curve.id = "save-curve"; // shown where the curve is: other tabs do not draw it
  byId("take-away").append(
    smallButton("Attributions as CSV", () => saveCsv("maps", POINTS)),
    smallButton("CSV with decimal commas", () => saveCsv("maps-commas", COMMAS)),
    smallButton("All numbers as JSON", saveJson),
    curve,
    element("p", { class: "quiet", text: "Decimal commas are for Excel in German, French and other such languages. The JSON also holds the state and its link. An enlarged map can be saved as PNG." })
  );
  on("enlarge", enlarge);
}

// ---- numbers

async function saveJson() {
  if (!hasAnswer()) return;
  await completeAnswer();
  const { config, answer, asked } = view;
  const { ask, notices, state, path, exact, ...numbers } = answer; // the first three are how the answer travelled
  const { switches, gradients } = view.path;
  const curves = Object.fromEntries(Object.entries(answer.curves).map(([output, packed]) => [output, Array.from(floats(packed))]));
  const steps = Array.from(path.weights, (_, k) => Array.from(gradients.subarray(64 * k, 64 * k + 64)));
  const all = {
    state: asked,
    link: address(asked),
    network: config.networks[asked.network].title,
    target_name: className(answer.target),
    ...numbers,
    single_methods: knownResults(),
    exact: exact && { ...exact, switches },
    curves,
    logit_gradient: Array.from(floats(answer.logit_gradient)),
    path: { ...path, gradients: steps },
  };
  download(fileName("all", "json"), new Blob([JSON.stringify(all, null, 1)], { type: "application/json" }));
}

/**
 * One line of names, then numbers and nothing else: what every reader of CSV reads without being told anything.
 * @param {string} what
 * @param {{ separator: string, point: string }} format
 */
async function saveCsv(what, { separator, point }) {
  if (!hasAnswer()) return;
  await completeAnswer();
  const { answer, asked } = view;
  const names = Object.keys(answer.methods);
  /** @type {[string, (i: number) => number][]} */
  const columns = [
    ["row", (i) => Math.floor(i / 8)],
    ["column", (i) => i % 8],
    ["input", (i) => asked.pixels[i]],
    ["baseline", (i) => answer.baseline[i]],
    ...names.map((name) => columnOf(name, answer.methods[name].map)),
  ];
  view.state.pinned.forEach((name) => {
    const map = resultOf(name)?.map;
    if (map && (!names.includes(name) || hasOptions(name))) columns.push(columnOf(hasOptions(name) ? `${name}_with_options` : name, map));
  });
  if (answer.exact) columns.push(columnOf("integrated_gradients_exact", answer.exact.map));
  const { error } = answer.smoothgrad; // one sample has none
  if (error) columns.push(columnOf("smoothgrad_standard_error", error));
  const lines = Array.from({ length: 64 }, (_, i) => columns.map(([, value]) => String(value(i)).replace(".", point)).join(separator));
  const text = [columns.map(([name]) => name).join(separator), ...lines, ""].join("\n");
  download(fileName(what, "csv"), new Blob([text], { type: "text/csv" }));
}

/**
 * @param {string} name
 * @param {number[]} values
 * @returns {[string, (i: number) => number]}
 */
const columnOf = (name, values) => [name, (i) => values[i]];

// ---- pictures

/**
 * A map as a picture for slides: on white, with its title, note and scale.
 * @param {PixelMap} map
 */
function savePicture(map) {
  if (!map.values) return;
  const size = 640;
  const canvas = element("canvas", { width: size + 80, height: size + 170 });
  const context = contextOf(canvas);
  const drawing = element("canvas", { width: size, height: size });
  const { values, options, magnified } = map;
  const limit = map.shownLimit();
  paintMap(contextOf(drawing), size, values, limit, { ...options, numbers: options.kind === "signed", everyNumber: true, theme: "light", ratio: 1 });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(drawing, 40, 90);
  context.fillStyle = "#1c2430";
  context.font = "600 26px system-ui, sans-serif";
  context.fillText(map.title.textContent ?? "", 40, 42);
  context.font = "18px system-ui, sans-serif";
  context.fillText(map.note.textContent ?? "", 40, 72);
  const range = options.kind === "signed" ? `colour scale −${number(limit)} … +${number(limit)}${magnified === 1 ? "" : ", magnified"}` : "0 black … 1 white";
  context.fillText(`${range}   ${map.figure.textContent}   ${map.caption.textContent}`, 40, size + 122);
  const network = view.config.networks[view.asked.network].title;
  context.fillText(`${network}, F = ${outputName()}`, 40, size + 150);
  canvas.toBlob((blob) => blob && download(fileName(options.name, "png"), blob), "image/png");
}

/** @param {HTMLCanvasElement} canvas */
const contextOf = (canvas) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));

/** @param {HTMLElement} host of a chart */
const saveChart = (host) => pictureOf(host)?.toBlob((blob) => blob && download(fileName(host.id, "png"), blob), "image/png");

/**
 * A map large, with the value in every cell that has one.
 * @param {PixelMap} map
 */
function enlarge(map) {
  if (!map.values) return;
  const host = element("div", { class: "large" });
  const title = map.title.textContent ?? "";
  const dialog = openDialog(title, host);
  const { name, kind, magnifies } = map.options;
  const large = new PixelMap(host, { name, title, kind, magnifies, numbers: true, everyNumber: true, bare: true });
  large.set(map.values, map.limit);
  large.magnify(map.magnified !== 1);
  large.describe({ note: map.note.textContent ?? "", figure: map.figure.textContent ?? "", caption: map.caption.textContent ?? "" });
  host.append(smallButton("Save as PNG", () => savePicture(map)));
  dialog.addEventListener("close", () => large.remove());
}
