// The third tab: the pinned methods side by side, on their own scales or on one, with bars and rank correlations.
(function () {
  "use strict";
  const explorer = (window.explorer = window.explorer || {});
  const { byId, element, number, signed, view } = explorer;
  const maps = new Map(); // by method, those that are pinned

  explorer.startCompare = function () {
    explorer.onShown("compare", draw);
    explorer.on("state", (patch) => patch.pinned && view.answer && view.state.tab === "compare" && draw());
    explorer.on("methods", (names) => names !== null && view.state.tab === "compare" && draw());
  };

  // Dash calls this when the scale is switched.
  explorer.scaleChanged = function (scale) {
    if (!view.state || scale === view.state.scale) return;
    explorer.update({ scale });
    explorer.commitLooks();
    if (view.answer && view.state.tab === "compare") drawMaps();
  };

  const titleOf = (name) => view.config.methods[name].title;
  const ready = () => view.state.pinned.filter((name) => (explorer.resultOf(name) || {}).map);

  function draw() {
    hostMaps();
    drawMaps();
    drawBars();
    drawCorrelations();
    explorer.emit("words");
    askForMissing();
  }

  // What the explanation does not hold is asked for when the picture rests.
  function askForMissing() {
    const missing = () => view.state.pinned.filter((name) => !explorer.resultOf(name));
    if (missing().length) explorer.whenQuiet(() => view.state.tab === "compare" && explorer.wantMethods(missing()));
  }

  function hostMaps() {
    const { pinned } = view.state;
    const host = byId("compare-maps");
    if ([...maps.keys()].join() === pinned.join()) return;
    maps.forEach((map) => map.remove());
    maps.clear();
    pinned.forEach((name) => {
      const { title, paper, formula } = view.config.methods[name];
      const map = new explorer.PixelMap(host, { name, title, kind: "signed", onselect: (self) => explorer.enlarge(self) });
      map.title.title = `${formula} (${paper})`;
      map.surface.classList.add("opens");
      maps.set(name, map);
    });
    host.style.setProperty("--pinned", pinned.length);
  }

  function noteOf(name) {
    const { answer, asked, config } = view;
    const notes = {
      gradient: "∂F/∂x at the picture",
      integrated_gradients: `${asked.baseline} baseline, ${asked.rule === "exact" ? "exact" : `m = ${asked.steps}, ${asked.rule}`}`,
      smoothgrad: `${asked.samples} samples, σ = ${explorer.plain(answer.smoothgrad.sigma)}`,
    };
    if (explorer.hasOptions(name)) return "with settings of its own";
    const unit = config.methods[name].explains === "logit" && asked.output === "probability" ? ", of the logit" : "";
    return notes[name] || `${config.methods[name].paper}${unit}`;
  }

  // Against ΔF for those that the explanation holds, against its own promise for any other.
  function figuresOf(result) {
    if (result.refusal) return result.refusal;
    const goal = result.goal === null || result.goal === undefined ? view.answer.f.delta : result.goal;
    const sum = `Σ − ${goal === view.answer.f.delta ? "ΔF" : `goal ${number(goal)}`} = ${signed(result.total - goal)}`;
    return `SNR ${number(result.snr)}\n${sum}`;
  }

  function drawMaps() {
    const { answer, state } = view;
    const resultOf = (name) => (state.options[name] ? null : answer.methods[name]) || explorer.resultOf(name) || {};
    const limits = Object.fromEntries(state.pinned.map((name) => [name, explorer.largest(resultOf(name).map || [0])]));
    const shared = Math.max(...Object.values(limits));
    maps.forEach((map, name) => {
      const result = resultOf(name);
      map.root.classList.toggle("waiting", !result.map && !result.refusal);
      map.root.classList.toggle("refused", Boolean(result.refusal));
      map.set(result.map || NOTHING, state.scale === "shared" ? shared : limits[name]);
      map.describe(noteOf(name), result.map || result.refusal ? figuresOf(result) : "on its way…");
    });
  }
  const NOTHING = new Array(64).fill(0);

  // What is to be said of the pinned ones, where the server's words, which are on gradient, Integrated Gradients and
  // SmoothGrad as the page has them, do not fit.
  explorer.compareWords = function () {
    const { pinned } = view.state;
    const { compared, methods } = view.config;
    if (compared.every((name) => pinned.includes(name) && !explorer.hasOptions(name))) return null;
    const pairs = pinned.flatMap((one, i) => pinned.slice(i + 1).map((two) => ({ one, two, value: explorer.correlationOf(one, two) })));
    const known = pairs.filter(({ value }) => Number.isFinite(value)).sort((a, b) => b.value - a.value);
    if (!known.length) return "Pin two methods that apply to this network to see how alike they rank the pixels.";
    const said = ({ one, two, value }) => `${titleOf(one)} and ${titleOf(two)} (${value.toFixed(2).replace("-", "−")})`;
    const [best, worst] = [known[0], known[known.length - 1]];
    const logit = pinned.filter((name) => methods[name].explains === "logit" && view.asked.output === "probability").map(titleOf);
    const unit = logit.length ? ` ${logit.join(" and ")} speak${logit.length > 1 ? "" : "s"} of the logit, so sizes are not to be compared with the others.` : "";
    return known.length > 1
      ? `The pixels are ranked most alike by ${said(best)}, least alike by ${said(worst)}: rank correlation 1 is the same order, 0 no common order.${unit}`
      : `The rank correlation is that of ${said(best)}: 1 is the same order, 0 no common order.${unit}`;
  };

  function drawBars() {
    const names = ready();
    const means = names.map((name) => explorer.resultOf(name).mean);
    const titles = names.map(titleOf);
    explorer.drawChart(
      byId("mean-chart"),
      [
        {
          type: "bar",
          orientation: "h",
          x: means,
          y: titles,
          text: means.map((mean) => number(mean)),
          textposition: "auto",
          marker: { color: explorer.ink("--accent") },
        },
      ],
      { margin: { l: 12 + 7 * Math.max(...titles.map((title) => title.length), 8), t: 4 }, xaxis: { rangemode: "tozero", nticks: 4 }, yaxis: { autorange: "reversed" } },
      `Mean absolute attribution: ${titles.map((title, i) => `${title} ${number(means[i])}`).join(", ")}`
    );
  }

  function drawCorrelations() {
    const names = ready();
    const cell = (one, two) => {
      const value = explorer.correlationOf(one, two);
      return value === undefined ? "…" : value === null ? "flat" : value.toFixed(2).replace("-", "−");
    };
    const head = element("tr", {}, element("td", {}), ...names.map((name) => element("th", { scope: "col", text: titleOf(name) })));
    const rows = names.map((one) => element("tr", {}, element("th", { scope: "row", text: titleOf(one) }), ...names.map((two) => element("td", { text: cell(one, two), translate: "no" }))));
    byId("correlations").replaceChildren(element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)));
  }
})();
