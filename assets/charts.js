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
    const axis = { gridcolor: ink("--grid"), zerolinecolor: ink("--line-strong"), linecolor: ink("--line-strong"), fixedrange: true };
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
      drawing = element("div", { class: "drawing", translate: "no" }); // elements of a translation would not be drawn
      host.append(drawing);
      host.parentElement.querySelector("h3").after(explorer.iconButton("save", "Save the chart below as PNG", () => explorer.saveChart(host)));
    }
    const size = { width: host.clientWidth, height: host.clientHeight };
    window.Plotly.react(drawing, traces, { ...whole, ...size }, { staticPlot: true, displayModeBar: false });
    drawing.querySelectorAll(".main-svg").forEach((svg) => svg.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`)); // to be scaled on paper
  };

  // An axis from the smallest round numbers that hold these values, so that it rests while a picture changes. The ticks are
  // given: Plotly takes a quarter of its time to find some.
  explorer.calmAxis = function (low, high, pad) {
    const span = high - low || Math.abs(high) || 0.1;
    const power = 10 ** Math.floor(Math.log10(span / 2));
    const step = [1, 2, 5, 10].find((s) => s * power >= span / 4) * power;
    const first = Math.floor(low / step + 1e-9);
    const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
    const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
    const margin = (pad || 0) * (last - first) * step;
    return { range: [ticks[0] - margin, ticks[ticks.length - 1] + margin / 2], tickvals: ticks, ticktext: ticks.map((tick) => explorer.plain(tick)) };
  };

  // α from the baseline to the input.
  explorer.pathAxis = { range: [0, 1], tickvals: [0, 0.25, 0.5, 0.75, 1], ticktext: ["α = 0", "0.25", "0.5", "0.75", "1"] };

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
