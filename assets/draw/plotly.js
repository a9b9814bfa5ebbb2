// Charts of the labs, drawn by Plotly, which is fetched from this server when the first one is drawn.

import { element, write } from "../core/dom.js";
import { number, sentenceText } from "../core/numbers.js";
import { theme } from "../core/theme.js";
import { view } from "../core/store.js";

/** @import { Plot } from "../types.js" */

const PRESENT_WIDTH = 1000; // px of a window in which text has its usual size: 24 px on a projector of 1920

const CONFIG = { displayModeBar: false, responsive: false, scrollZoom: false, doubleClick: false, showTips: false };

/** @type {Promise<NonNullable<Window["Plotly"]>> | null} */
let loading = null;

function plotly() {
  loading ??= new Promise((done, failed) => {
    const address = /** @type {HTMLMetaElement} */ (document.querySelector("meta[name='explorer-charts']")).content;
    const script = element("script", { src: new URL(address, document.baseURI).href });
    script.addEventListener("load", () => (window.Plotly ? done(window.Plotly) : failed(new Error("Plotly did not start"))));
    script.addEventListener("error", () => {
      script.remove();
      loading = null; // the next chart tries again
      failed(new Error("Plotly did not come"));
    });
    document.head.append(script);
  });
  return loading;
}

/**
 * A template with larger text.
 * @param {object} template
 * @param {number} scale
 */
const enlarged = (template, scale) => JSON.parse(JSON.stringify(template), (key, value) => (/font$/.test(key) && value?.size ? { ...value, size: Math.max(value.size, Math.round(value.size * scale)) } : value));

export class PlotlyChart {
  /** @type {Plot | null} */
  plot = null;
  look = ""; // theme and size of text that it was drawn in

  /**
   * @param {HTMLElement} host
   * @param {string} title
   */
  constructor(host, title) {
    this.title = element("h4", { text: title });
    this.drawing = element("div", { class: "plot", role: "img" });
    this.table = element("div", { class: "plot-table" });
    this.numbers = element("details", { class: "plot-numbers" }, element("summary", { text: "The numbers of this chart" }), this.table);
    this.says = element("p", { class: "quiet" });
    this.root = element("figure", { class: "plot-figure" }, this.title, this.drawing, this.says, this.numbers);
    this.numbers.addEventListener("toggle", () => this.#fillTable());
    host.append(this.root);
    // also when it is shown again after the window was turned
    new ResizeObserver(() => this.drawing.offsetParent && this.drawing.querySelector(".main-svg") && window.Plotly?.Plots.resize(this.drawing)).observe(this.drawing);
  }

  /** @param {Plot | undefined} plot */
  async show(plot) {
    this.root.hidden = !plot;
    const scale = document.body.classList.contains("present") ? window.innerWidth / PRESENT_WIDTH : 1;
    const look = `${theme()} ${scale}`;
    if (!plot || (plot === this.plot && this.look === look)) return; // a lab shows an answer again while it plays
    this.plot = plot;
    this.look = look;
    const text = sentenceText(plot.says);
    write(this.says, text);
    this.drawing.setAttribute("aria-label", `${this.title.textContent}. ${text}`);
    this.#fillTable();
    try {
      const library = await plotly();
      if (this.plot !== plot) return; // a newer one came meanwhile
      const { data, layout } = structuredClone(plot.figure); // Plotly writes into what it is given
      await library.react(this.drawing, data, { ...layout, template: enlarged(view.config.chart_templates[theme()], scale) }, CONFIG);
    } catch {
      write(this.says, `${text} (The chart could not be drawn; its numbers are below.)`);
    }
  }

  #fillTable() {
    if (!this.numbers.open || !this.plot) return;
    const { data, layout } = this.plot.figure;
    const lying = data[0]?.orientation === "h"; // of bars, names stand at the y axis
    const places = (/** @type {any} */ trace) => (lying ? trace.y : trace.x);
    const values = (/** @type {any} */ trace) => (lying ? trace.x : trace.y);
    const all = [...new Set(data.flatMap(places))];
    const head = element("tr", {}, element("th", { text: lying ? "" : (layout.xaxis?.title?.text ?? "") }), ...data.map(({ name }) => element("th", { text: name ?? "" })));
    const rows = all.map((at) =>
      element("tr", {}, element("th", { text: typeof at === "number" ? number(at) : at }), ...data.map((trace) => element("td", { text: number(values(trace)[places(trace).indexOf(at)]) })))
    );
    this.table.replaceChildren(element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)));
  }
}
