// The figures on the right.
(function () {
  "use strict";
  const explorer = (window.explorer = window.explorer || {});
  const { byId, element, number, signed, percent, view } = explorer;
  const METHOD_OF_TAB = { saliency: "gradient", integrated: "integrated_gradients", compare: "integrated_gradients", methods: "integrated_gradients" };
  let choice;
  let rows = [];
  let of = ""; // what the figures belong to

  explorer.startFacts = function () {
    const options = view.config.core.map((value) => element("option", { value, text: view.config.methods[value].title }));
    choice = element("select", { class: "form-select form-select-sm", "aria-label": "Method whose figures are shown", onchange: choose }, ...options);
    byId("method-choice").append(choice);
    explorer.on("tab", (tab) => {
      view.method = choice.value = METHOD_OF_TAB[tab];
      if (view.answer) drawMethod();
    });
    explorer.on("answer", draw);
    explorer.on("pixel", showMarked);
  };

  function choose() {
    view.method = choice.value;
    if (view.answer) drawMethod();
  }

  function showMarked(marked) {
    rows.forEach(({ at, row }) => row.classList.toggle("marked", at === marked));
  }

  function draw() {
    drawScores();
    drawF();
    drawMethod();
  }

  function drawScores() {
    const { answer } = view;
    byId("sees").replaceChildren("Seen as ", element("b", { text: explorer.className(answer.predicted) }), ` (${explorer.probability(answer.scores[answer.predicted])})`);
    const list = answer.scores.map((score, i) => {
      const fill = element("i", { class: "score-fill" });
      fill.style.transform = `scaleX(${score})`;
      const predicted = i === answer.predicted;
      const target = i === answer.target;
      const said = [predicted ? "predicted" : "", target ? "target" : ""].filter(Boolean).join(", ");
      return element(
        "li",
        { class: predicted ? "predicted" : "" },
        element("span", { class: "score-mark", "aria-hidden": "true", text: target ? "▸" : "" }),
        element("span", { class: "score-name", text: explorer.className(i) }, said ? element("span", { class: "visually-hidden", text: ` (${said})` }) : null),
        element("span", { class: "bar" }, fill),
        element("span", { class: "figure", text: explorer.probability(score), translate: "no" })
      );
    });
    byId("scores").replaceChildren(
      element("ul", { class: "scores" }, ...list),
      element("p", { class: "quiet", "aria-hidden": "true" }, element("b", { text: "bold" }), " predicted   ", element("span", { class: "score-mark", text: "▸" }), " target")
    );
  }

  function table(host, lines) {
    const cells = lines.flatMap(([name, value, note]) => [element("dt", { text: name }), element("dd", { text: value, title: note, translate: "no" })]);
    byId(host).replaceChildren(element("dl", {}, ...cells));
  }

  function drawF() {
    const { f } = view.answer;
    table("f-table", [
      ["F is", explorer.outputName()],
      ["F(x)", explorer.score(f.input)],
      ["F(x′)", explorer.score(f.baseline)],
      ["ΔF", signed(f.delta, 4)],
    ]);
  }

  function drawMethod() {
    const { answer, method, config } = view;
    const figures = answer.methods[method];
    of = finished(method);
    rows = figures.top.filter(([, , value]) => value !== 0).map(([row, column, value], rank) => {
      const at = 8 * row + column;
      const button = element(
        "button",
        {
          type: "button",
          onpointerenter: () => explorer.markPixel(at),
          onpointerleave: () => explorer.markPixel(null),
          onfocus: () => explorer.markPixel(at),
          onblur: () => explorer.markPixel(null),
          onclick: () => explorer.choosePixel(at),
        },
        element("span", { text: `${rank + 1}. ${explorer.place(at)}` }),
        element("span", { class: `figure ${value < 0 ? "minus" : "plus"}`, text: signed(value), translate: "no" })
      );
      return { at, row: element("li", {}, button) };
    });
    showMarked(explorer.markedPixel());
    const none = rows.length ? "Rows and columns count from 0 at the top left." : "No pixel stands out: the whole map is 0.";
    byId("top-pixels").replaceChildren(caption(), element("ol", { class: "top" }, ...rows.map(({ row }) => row)), element("p", { class: "quiet", text: none }));
    drawSums(figures, method, config);
    drawNoise(figures, answer);
  }

  // The figures are those of the finished map, also while its steps are played.
  function finished(method) {
    const { title } = view.config.methods[method];
    if (method !== "integrated_gradients") return title;
    const { count } = view.path;
    const unit = view.asked.rule === "exact" ? "piece" : "step";
    return `${title}, after ${count === 1 ? `its only ${unit}` : `all ${count} ${unit}s`}`;
  }

  const caption = () => element("p", { class: "quiet of", text: of });

  function drawSums(figures, method, config) {
    const { title, complete } = config.methods[method];
    const meant = complete ? "Σ − ΔF should be 0 when integration is complete." : `${title} does not promise completeness.`;
    const over = figures.delta * view.answer.f.delta > 0;
    table("completeness", [
      ["Σ attribution", signed(figures.total, 4)],
      ["Σ − ΔF", signed(figures.delta)],
      [over ? "too much, of ΔF" : "missing, of ΔF", percent(figures.share)],
    ]);
    byId("completeness").prepend(caption());
    byId("completeness").append(element("p", { class: "quiet", text: meant }));
  }

  function drawNoise(figures, answer) {
    const { snr } = answer.smoothgrad;
    table("snr", [
      ["SNR: peak ÷ mean |a|", number(figures.snr), "max |a| / mean |a|: 1 is flat, 64 a single pixel"],
      ["SmoothGrad: |mean| ÷ error", snr === null ? "–" : number(snr), "median over the pixels of |mean| / standard error"],
    ]);
    byId("snr").prepend(caption());
    byId("snr").append(
      element("p", { class: "quiet", text: "The first measures concentration (1 flat, 64 a single pixel), the second how far SmoothGrad’s mean stands above its sampling noise." })
    );
  }
})();
