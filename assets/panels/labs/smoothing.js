// The lab smoothing: plays the noisy copies, the gradient of each, and the mean of those so far with its standard error.

import { figureOfF } from "../../core/derived.js";
import { element, write } from "../../core/dom.js";
import { bound, floats, largest, number, signed } from "../../core/numbers.js";
import { PixelMap } from "../../draw/map.js";
import { PlotlyChart } from "../../draw/plotly.js";
import { labControl } from "../lab_controls.js";
import { labPlayer } from "../lab_player.js";

/** @import { LabAnswer, LabHost } from "../../types.js" */

const COUNT = 100;
const CERTAIN = 2; // standard errors: as in smoothing.py
const ROUNDING = 1e-7; // of packed numbers

/** @param {LabHost} lab */
export function build(lab) {
  const stops = Array.from({ length: COUNT }, (_, i) => i + 1);
  // the first ten are seen one by one; later each second adds a third of those so far
  const rate = (/** @type {number} */ place) => Math.max(3, place / 3);
  lab.controls.append(
    labPlayer(lab, "samples", { stops, rate, text: (n) => `n = ${n}` }),
    labControl(lab, "noise_level", { step: 0.01, text: (sigma) => `σ = ${sigma.toFixed(2)}` })
  );
  const row = element("div", { class: "lab-maps" });
  const note = element("span");
  const charts = element("div", { class: "lab-charts" });
  lab.figures.append(row, element("p", { class: "lab-note" }, element("span", { class: "lab-swatch", "aria-hidden": "true" }), note), charts);
  const copy = new PixelMap(row, { name: "input", title: "Noisy copy", kind: "grey", plain: true });
  const [single, mean, clean] = ["Its gradient", "Mean of n gradients", "Without noise"].map(
    (title, i) => new PixelMap(row, { name: i === 2 ? "gradient" : "smoothgrad", title, kind: "signed", plain: true })
  );
  const chart = new PlotlyChart(charts, "How uncertain the mean is");
  /** @type {LabAnswer | null} */
  let shown = null;
  /** @type {ReturnType<typeof unpacked>} */
  let data;

  const at = () => 64 * (lab.value("samples") - 1);

  const show = (/** @type {LabAnswer} */ answer) => {
    if (answer !== shown) data = unpacked(answer);
    shown = answer;
    const n = lab.value("samples");
    const [here, { scale }] = [at(), answer];
    const part = (/** @type {Float64Array} */ all) => all.subarray(here, here + 64);
    const [means, errors, gradient] = [part(data.means), part(data.errors), part(data.gradients)];
    const isUncertain = (/** @type {number} */ i) => n > 1 && Math.abs(means[i]) < CERTAIN * errors[i];
    copy.set(part(data.copies), 1);
    single.set(gradient, scale);
    mean.set(means, scale);
    clean.set(answer.gradient, scale);
    mean.hatch([...means.keys()].filter(isUncertain));
    copy.describe({ figure: figureOfF(answer.values[n - 1]), caption: `copy ${n}, σ = ${answer.noise_level.toFixed(2)}` });
    single.describe({ figure: `at most ${bound(largest(gradient))}`, caption: `of copy ${n}` });
    const error = errors.reduce((sum, value) => sum + value, 0) / 64;
    mean.describe({ figure: n > 1 ? `± ${number(error, 2)}` : "± unknown", caption: n > 1 ? "its average error" : "from 2 copies on" });
    clean.describe({ figure: `at most ${bound(largest(answer.gradient))}`, caption: "of your picture itself" });
    const count = stops.slice(0, 64).filter((_, i) => isUncertain(i)).length;
    write(note, `Hatched: no certain sign, |mean| < 2 standard errors (${n > 1 ? `${count} of 64` : "from 2 copies on"}). The three gradients share one scale.`);
    chart.show(answer.charts.errors);
  };

  const valuesAt = (/** @type {number} */ pixel) => {
    if (!shown) return [];
    const i = at() + pixel;
    const error = lab.value("samples") > 1 ? ` ± ${number(data.errors[i], 2)}` : "";
    return [`copy ${data.copies[i].toFixed(2)}`, `its gradient ${signed(data.gradients[i])}`, `mean ${signed(data.means[i])}${error}`, `without noise ${signed(shown.gradient[pixel])}`];
  };
  return { show, valuesAt };
}

/**
 * The copies and their gradients, and for each n the mean of the first n gradients and its standard error.
 * @param {LabAnswer} answer
 */
function unpacked(answer) {
  const [copies, gradients] = [answer.copies, answer.gradients].map((text) => Float64Array.from(floats(text)));
  const means = new Float64Array(64 * COUNT);
  const errors = new Float64Array(64 * COUNT);
  for (let pixel = 0; pixel < 64; pixel++) {
    let mean = 0;
    let squares = 0; // of the distances to the mean, kept up to date with it: a difference of large sums would lose digits
    for (let n = 1; n <= COUNT; n++) {
      const i = 64 * (n - 1) + pixel;
      const off = gradients[i] - mean;
      mean += off / n;
      squares += off * (gradients[i] - mean);
      means[i] = mean;
      const error = n > 1 ? Math.sqrt(squares / (n - 1) / n) : 0;
      errors[i] = error > ROUNDING * Math.abs(mean) ? error : 0;
    }
  }
  return { copies, gradients, means, errors };
}
