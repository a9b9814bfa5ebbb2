// The lab baselines: six baselines with their maps in one row, then how soon F falls when the top pixels of each map are deleted.

import { element } from "../../core/dom.js";
import { largest, number, signed } from "../../core/numbers.js";
import { PixelMap } from "../../draw/map.js";
import { PlotlyChart } from "../../draw/plotly.js";
import { labControl } from "../lab_controls.js";

/** @import { LabAnswer, LabHost } from "../../types.js" */

const NAMES = /** @type {Record<string, string>} */ ({ black: "Black", white: "White", mean: "Mean", blur: "Blur", noise: "Noise", expected: "Expected" });
const CONTROLS = /** @type {Record<string, string>} */ ({ "negated black": "Black, negated", "negated white": "White, negated", random: "Random order", greedy: "Greedy order" });
const FILLS = ["black", "white", "mean"];

/** @param {LabHost} lab */
export function build(lab) {
  lab.controls.append(labControl(lab, "fill", { texts: { mean: "the mean" } }));
  const row = element("div", { class: "baseline-maps" });
  const pairs = Object.entries(NAMES).map(([name, title]) => {
    const host = element("section", {}, element("h4", { text: title }));
    row.append(host);
    const start = new PixelMap(host, { name: "baseline", title: `Baseline: ${title}`, kind: "grey", bare: true });
    const map = new PixelMap(host, { name: "integrated_gradients", title: `Attribution from ${title}`, kind: "signed", bare: true });
    return { name, host, start, map };
  });
  const scale = element("p", { class: "lab-note" });
  const table = element("table", { class: "baseline-areas" });
  const title = element("h4");
  const drawing = element("div");
  lab.figures.append(row, scale, element("div", { class: "lab-charts" }, drawing, element("div", {}, title, table)));
  const chart = new PlotlyChart(drawing, "");
  /** @type {LabAnswer | null} */
  let shown = null;

  const show = (/** @type {LabAnswer} */ answer) => {
    const { maps, pictures, changes, forced, areas, scored } = answer;
    const fill = lab.value("fill");
    if (shown !== answer) {
      const limit = Math.max(...Object.values(maps).map(largest));
      for (const { name, host, start, map } of pairs) {
        host.hidden = !maps[name];
        if (host.hidden) continue;
        start.set(pictures[name], 1);
        map.set(maps[name], limit);
        map.hatch(forced[name]);
        map.describe({ caption: `ΔF ${signed(changes[name], 2)}` });
      }
      scale.textContent = `Above each map its baseline. “Expected” averages over many training pictures; their mean is shown. One scale for all maps: ±${number(limit, 2)}. Hatched: 0 because picture and baseline agree there. ΔF: F of the picture minus F of the baseline.`;
    }
    shown = answer;
    chart.title.textContent = `${scored === "P" ? "P" : "The logit"} while the top pixels are set to ${fill === "mean" ? "the mean" : fill}`;
    chart.show(answer.charts[fill]);
    title.textContent = `Area under ${scored}, by what pixels are set to`;
    table.replaceChildren(...rows(areas, fill));
  };

  const valuesAt = (/** @type {number} */ pixel) =>
    Object.entries(NAMES).flatMap(([name, text]) => (shown?.maps[name] ? `${text} ${signed(shown.maps[name][pixel], 2)}` : []));
  return { show, valuesAt };
}

/**
 * The areas: the smallest of the six maps in each column is framed.
 * @param {Record<string, Record<string, number>>} areas by fill, then by map or control
 * @param {string} fill that the chart shows
 */
function rows(areas, fill) {
  const known = Object.keys(NAMES).filter((name) => name in areas.black);
  const smallest = Object.fromEntries(FILLS.map((one) => [one, Math.min(...known.map((name) => areas[one][name]))]));
  const [low, high] = [Math.min(0, ...all(areas)), Math.max(0, ...all(areas))];
  const share = (/** @type {number} */ value) => (high > low ? (value - low) / (high - low) : 0);
  const head = element("tr", {}, element("th", { scope: "col", text: "Map" }), ...FILLS.map((one) => element("th", { scope: "col", class: one === fill ? "chosen" : "", text: NAMES[one] })));
  const line = (/** @type {string} */ name, /** @type {string} */ text, /** @type {string} */ kind) =>
    element(
      "tr",
      { class: kind },
      element("th", { scope: "row", text }),
      ...FILLS.map((one) => {
        const value = areas[one][name];
        const best = kind !== "control" && value === smallest[one];
        return element(
          "td",
          { class: `${one === fill ? "chosen" : ""} ${best ? "best" : ""}` },
          element("span", { style: `--share: ${share(value)}`, "aria-hidden": "true" }),
          element("b", { text: number(value, 2) }),
          best ? element("small", { class: "visually-hidden", text: " smallest" }) : null
        );
      })
    );
  const body = [...known.map((name) => line(name, NAMES[name], "map-row")), ...Object.entries(CONTROLS).map(([name, text]) => line(name, text, "control"))];
  const note = element("caption", { text: "The smaller, the sooner the score fell. Framed: the smallest of the six maps. Below the line: controls." });
  return [note, element("thead", {}, head), element("tbody", {}, ...body)];
}

const all = (/** @type {Record<string, Record<string, number>>} */ areas) => Object.values(areas).flatMap((one) => Object.values(one));
