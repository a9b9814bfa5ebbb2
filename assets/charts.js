// The charts: Plotly draws them when an answer comes; while playing only a cursor laid over them moves.
(function () {
  "use strict";
  const explorer = (window.explorer = window.explorer || {});
  const { element } = explorer;
  const MARGIN = { l: 46, r: 12, t: 8, b: 24 };
  const cursors = new WeakMap();

  const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // Draw or redraw a chart in a script-owned element; `label` says in words what it shows.
  explorer.drawChart = function (host, traces, layout, label) {
    const colour = ink("--ink-soft");
    const axis = { gridcolor: ink("--line"), zerolinecolor: ink("--line-strong"), linecolor: ink("--line-strong"), fixedrange: true, nticks: 4 };
    const base = {
      margin: { ...MARGIN, ...(layout.margin || {}) },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: "system-ui, sans-serif", size: 12, color: colour },
      showlegend: false,
      dragmode: false,
      bargap: 0.45,
    };
    const whole = { ...base, ...layout, margin: base.margin, xaxis: { ...axis, ...layout.xaxis }, yaxis: { ...axis, ...layout.yaxis } };
    host.setAttribute("role", "img");
    host.setAttribute("aria-label", label);
    let drawing = host.querySelector(".drawing");
    if (!drawing) {
      drawing = element("div", { class: "drawing" });
      host.append(drawing);
      const title = host.previousElementSibling;
      title.after(explorer.iconButton("save", "Save the chart below as PNG", () => explorer.saveChart(host)));
    }
    window.Plotly.react(drawing, traces, { ...whole, width: host.clientWidth, height: host.clientHeight }, { staticPlot: true, displayModeBar: false });
  };

  // A line over the chart's plotting area at α, and a veil over what is not reached yet; dragging it scrubs.
  explorer.cursor = function (host) {
    const line = element("div", { class: "cursor-line" });
    const veil = element("div", { class: "cursor-veil" });
    const area = element("div", { class: "cursor-area", "aria-hidden": "true" }, veil, line);
    area.style.inset = `${MARGIN.t}px ${MARGIN.r}px ${MARGIN.b}px ${MARGIN.l}px`;
    host.append(area);
    const scrub = (event) => {
      const box = area.getBoundingClientRect();
      explorer.scrubTo(Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)));
    };
    area.addEventListener("pointerdown", (event) => {
      area.setPointerCapture(event.pointerId);
      scrub(event);
    });
    area.addEventListener("pointermove", (event) => area.hasPointerCapture(event.pointerId) && scrub(event));
    cursors.set(host, { line, veil });
  };

  explorer.moveCursor = function (host, alpha) {
    const { line, veil } = cursors.get(host);
    line.style.transform = `translateX(${100 * alpha}%)`;
    veil.style.transform = `scaleX(${1 - alpha})`;
  };

  explorer.ink = ink;
})();
