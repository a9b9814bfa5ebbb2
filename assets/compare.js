// The third tab: three methods side by side, on their own scales or on one, with bars and rank correlations.
(function () {
  "use strict";
  const explorer = (window.explorer = window.explorer || {});
  const { byId, element, number, signed, view } = explorer;
  let names = [];
  const maps = {};

  explorer.startCompare = function () {
    const host = byId("compare-maps");
    names = view.config.compared;
    names.forEach((name) => {
      const { title, paper, formula } = view.config.methods[name];
      maps[name] = new explorer.PixelMap(host, { name, title, kind: "signed", onselect: (map) => explorer.enlarge(map) });
      maps[name].title.title = `${formula} (${paper})`;
      maps[name].surface.classList.add("opens");
    });
    explorer.onShown("compare", draw);
  };

  // Dash calls this when the scale is switched.
  explorer.scaleChanged = function (scale) {
    if (!view.state || scale === view.state.scale) return;
    explorer.update({ scale });
    explorer.commitLooks();
    if (view.answer && view.state.tab === "compare") drawMaps();
  };

  function draw() {
    drawMaps();
    drawBars();
    drawCorrelations();
  }

  function drawMaps() {
    const { answer, asked, state } = view;
    const limits = names.map((name) => explorer.largest(answer.methods[name].map));
    const shared = Math.max(...limits);
    const notes = {
      gradient: "∂F/∂x at the picture",
      integrated_gradients: `${asked.baseline} baseline, ${asked.rule === "exact" ? "exact" : `m = ${asked.steps}, ${asked.rule}`}`,
      smoothgrad: `${asked.samples} samples, σ = ${answer.smoothgrad.sigma.toFixed(2)}`,
    };
    names.forEach((name, i) => {
      const { map, snr, delta } = answer.methods[name];
      maps[name].set(map, state.scale === "shared" ? shared : limits[i]);
      maps[name].describe(notes[name], `SNR ${number(snr)}\nΣ − ΔF = ${signed(delta)}`);
    });
  }

  function drawBars() {
    const { answer, config } = view;
    const means = names.map((name) => answer.methods[name].mean);
    const titles = names.map((name) => config.methods[name].title);
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
      { margin: { l: 140, t: 4 }, xaxis: { rangemode: "tozero" }, yaxis: { autorange: "reversed" } },
      `Mean absolute attribution: ${titles.map((title, i) => `${title} ${number(means[i])}`).join(", ")}`
    );
  }

  function drawCorrelations() {
    const { answer, config } = view;
    const titles = names.map((name) => config.methods[name].title);
    const head = element("tr", {}, element("td", {}), ...titles.map((title) => element("th", { scope: "col", text: title })));
    const rows = answer.correlations.map((row, i) =>
      element("tr", {}, element("th", { scope: "row", text: titles[i] }), ...row.map((value) => element("td", { text: value === null ? "flat" : value.toFixed(2).replace("-", "−") })))
    );
    byId("correlations").replaceChildren(element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)));
  }
})();
