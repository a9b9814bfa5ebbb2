// Ties the panels together: start, tabs, theme, the readout of the marked pixel, and Dash's hooks.
(function () {
  "use strict";
  const explorer = (window.explorer = window.explorer || {});
  const { byId, element, number, signed, view } = explorer;
  const TABS = ["saliency", "integrated", "compare", "methods"];
  const THEME_KEY = "explorer-theme";
  const shownListeners = {};
  let stale = {}; // tabs whose panel has not been drawn since the last answer

  // ---- theme: the system's unless the visitor chose one

  const systemDark = window.matchMedia("(prefers-color-scheme: dark)");
  const forcedColours = window.matchMedia("(forced-colors: active)");

  function storedTheme() {
    try {
      return window.localStorage.getItem(THEME_KEY);
    } catch {
      return null; // storage is refused in some iframes
    }
  }

  function applyTheme(theme) {
    document.documentElement.dataset.bsTheme = theme;
    const button = byId("theme");
    if (button) explorer.write(button, theme === "dark" ? "Light" : "Dark");
    if (button) button.setAttribute("aria-label", `Switch to the ${theme === "dark" ? "light" : "dark"} theme`);
    repaint();
  }

  // What is drawn by scripts, in other colours.
  function repaint() {
    if (!view.answer) return;
    explorer.redrawMaps();
    redraw();
  }

  const systemTheme = () => (systemDark.matches ? "dark" : "light");
  applyTheme(storedTheme() || systemTheme()); // before anything is drawn

  function startTheme() {
    applyTheme(explorer.theme());
    systemDark.addEventListener("change", () => storedTheme() || applyTheme(systemTheme()));
    forcedColours.addEventListener("change", repaint);
    byId("theme").addEventListener("click", () => {
      const next = explorer.theme() === "dark" ? "light" : "dark";
      try {
        window.localStorage.setItem(THEME_KEY, next);
      } catch {
        // it holds for this visit then
      }
      applyTheme(next);
    });
  }

  // Paper is white: for as long as the page is printed it has the light theme.
  function startPrinting() {
    const print = window.matchMedia("print");
    let seen = null; // the theme on the screen, while something is printed
    const begin = () => {
      seen = seen || explorer.theme();
      applyTheme("light");
    };
    const end = () => {
      if (seen) applyTheme(seen);
      seen = null;
    };
    window.addEventListener("beforeprint", begin);
    window.addEventListener("afterprint", end);
    print.addEventListener("change", () => (print.matches ? begin() : end()));
  }

  // ---- tabs: the ARIA pattern, panels stay in the page and are drawn when they are seen

  explorer.onShown = (tab, draw) => (shownListeners[tab] = draw);

  explorer.showTab = function (tab) {
    if (tab === view.state.tab) return;
    explorer.update({ tab });
    explorer.commitLooks();
  };

  function showPanels() {
    const { tab } = view.state;
    TABS.forEach((name) => {
      const button = byId(`tab-${name}`);
      button.setAttribute("aria-selected", String(name === tab));
      button.tabIndex = name === tab ? 0 : -1;
      byId(`panel-${name}`).hidden = name !== tab;
    });
    redrawIfStale();
    showWords();
  }

  function startTabs() {
    let shown = null;
    TABS.forEach((name, i) => {
      const button = byId(`tab-${name}`);
      button.addEventListener("click", ({ pointerType }) => {
        explorer.showTab(name);
        if (pointerType) button.blur(); // the next keys are to play; a tab that the keyboard reached keeps them
      });
      button.addEventListener("keydown", (event) => {
        const to = { ArrowLeft: (i + TABS.length - 1) % TABS.length, ArrowRight: (i + 1) % TABS.length, Home: 0, End: TABS.length - 1 }[explorer.keyOf(event)];
        if (to === undefined) return;
        event.preventDefault();
        explorer.showTab(TABS[to]);
        byId(`tab-${TABS[to]}`).focus();
      });
    });
    explorer.on("state", () => {
      if (view.state.tab === shown) return;
      shown = view.state.tab;
      explorer.emit("tab", shown);
      showPanels();
    });
  }

  function redraw() {
    TABS.forEach((tab) => (stale[tab] = true));
    redrawIfStale();
  }

  function redrawIfStale() {
    const { tab } = view.state;
    if (!view.answer || !stale[tab]) return;
    stale[tab] = false;
    shownListeners[tab]();
  }

  // ---- the words, and the readout of the marked pixel

  function showWords() {
    if (!view.answer) return;
    const { tab } = view.state;
    const own = tab === "methods" ? explorer.methodWords || "" : tab === "compare" ? explorer.compareWords() : null;
    const told = own === null ? (view.answer.words[tab] || []).join(" ") : own; // none while the rest is on its way
    explorer.write(byId("words"), told);
    const { predicted, target } = view.answer;
    const name = explorer.className(predicted);
    const ask = element("button", { type: "button", class: "btn btn-sm btn-outline-secondary", text: `Ask about “${name}” instead`, onclick: () => explorer.choose({ target: predicted }) });
    const equal = explorer.ofEqualBaseline().slice(tab === "integrated" ? 1 : 0); // there the words begin with the first
    const paintOn = element("p", { class: "quiet", text: equal.join(" ") });
    byId("suggestion").replaceChildren(...(predicted === target ? [] : [ask]), ...(equal.length ? [paintOn] : []));
    narrate();
  }

  // While the path is walked, the words tell of the place on it; they are not read aloud, as the gauge is not.
  function narrate() {
    const { answer, path, step, state } = view;
    if (!answer) return;
    const midway = state.tab === "integrated" && step < path.count;
    byId("happening").classList.toggle("midway", midway);
    if (midway) explorer.write(byId("narration"), explorer.stepSentences(step).map(({ text }) => text).join(" "));
  }

  // What is said at a step of the path, with the claims that are made, as words.py has them for the finished map.
  explorer.stepSentences = function (step) {
    const { answer, path } = view;
    if (!step) {
      return [
        { claim: "start", text: "This is the baseline, where the path starts." },
        { claim: "advice", text: "Press Play, or →, to bring the picture in bit by bit and add up the gradients on the way." },
      ];
    }
    return [
      { claim: "place", text: `The picture is ${shareOf(path.alphas[step])} % there; ${explorer.outputName()} went from ${explorer.score(answer.f.baseline)} to ${explorer.score(path.values[step])}.` },
      slopeSentence(explorer.largest(path.gradientAt(step)), path.steepest),
      { claim: "sum so far", text: `Added up so far: Σ = ${number(path.sums[step])} of ΔF = ${number(answer.f.delta)}.` },
    ];
  };

  // Within the path no share is written as 0 or 100 %.
  const shareOf = (alpha) => (alpha > 0 && alpha < 0.005 ? "under 1" : alpha > 0.995 && alpha < 1 ? "over 99" : Math.round(100 * alpha));

  // Over all pixels, as the map beside it; under the exact rule a step is a piece, and its gradient a mean.
  function slopeSentence(here, steepest) {
    const [what, where] = view.asked.rule === "exact" ? ["mean gradient over this piece", "piece"] : ["gradient here", "step"];
    if (!steepest) return { claim: "no slope", text: `The gradient is 0 at every ${where}.` };
    const size = here < steepest / 20 ? "small" : here > steepest / 2 ? "large" : "moderate";
    return { claim: `${size} slope`, text: `The ${what} is ${size}: at most ${number(here)}, where the largest of any ${where} is ${number(steepest)}.` };
  }

  function showReadout() {
    const { answer, path, step } = view;
    if (!answer) return;
    const i = explorer.pixelInView();
    const parts = [`x ${path.input[i].toFixed(2)}`, `x′ ${answer.baseline[i].toFixed(2)}`, ...valuesAt(i)];
    const cells = [explorer.place(i), ...parts];
    const readout = byId("readout");
    while (readout.childElementCount < cells.length) readout.append(element(readout.childElementCount ? "span" : "b", {}));
    while (readout.childElementCount > cells.length) readout.lastElementChild.remove();
    cells.forEach((text, k) => explorer.write(readout.children[k], text));
  }

  // What the maps in view say of a pixel: the one under the pointer among all methods, the pinned ones in Compare, and
  // else gradient, Integrated Gradients as far as it is played, and SmoothGrad with its error.
  function valuesAt(i) {
    const { answer, path, step, state, hovered } = view;
    if (state.tab === "methods" && !hovered) return ["point at a map to read its value"];
    const names = { compare: state.pinned, methods: [hovered] }[state.tab];
    if (names) {
      const known = names.filter((name) => (explorer.resultOf(name) || {}).map);
      return known.map((name) => `${view.config.methods[name].title} ${signed(explorer.resultOf(name).map[i])}`);
    }
    const { gradient, smoothgrad, integrated_gradients: integrated } = answer.methods;
    const soFar = step < path.count ? `IG so far ${signed(path.running[64 * step + i])} of ${signed(integrated.map[i])}` : `IG ${signed(integrated.map[i])}`;
    const error = answer.smoothgrad.error ? ` ± ${number(answer.smoothgrad.error[i], 2)}` : "";
    return [`gradient ${signed(gradient.map[i])}`, soFar, `SmoothGrad ${signed(smoothgrad.map[i])}${error}`];
  }

  // ---- start

  function start(config) {
    if (view.config) return;
    view.config = config;
    const wanted = new URLSearchParams(window.location.search).get("tab"); // so that the right panel waits for the numbers
    view.state = { ...config.defaults, tab: TABS.includes(wanted) ? wanted : config.defaults.tab };
    document.querySelectorAll("output").forEach((output) => (output.translate = false)); // numbers
    explorer.startNotices();
    startTheme();
    startPrinting();
    startTabs();
    explorer.startPainting();
    explorer.startControls();
    explorer.startSaliency();
    explorer.startIntegrated();
    explorer.startMethods();
    explorer.startCompare();
    explorer.startGallery();
    explorer.startConventions();
    explorer.startFacts();
    explorer.startPlayback();
    explorer.startTakeaway();
    explorer.on("answer", () => {
      redraw();
      showWords();
      showReadout();
    });
    explorer.on("words", showWords);
    explorer.on("methods", showReadout);
    explorer.on("tab", showReadout);
    explorer.on("state", (patch) => patch.pinned && showReadout());
    explorer.on("pixel", showReadout);
    explorer.on("step", showReadout);
    explorer.on("step", narrate);
    window.addEventListener("resize", debounced(redraw, 150));
    explorer.emit("state", view.state);
    explorer.startSession();
    explorer.started = true;
  }

  function debounced(action, wait) {
    let timer;
    return () => {
      clearTimeout(timer);
      timer = setTimeout(action, wait);
    };
  }

  const quietly = (action) => (...values) => {
    action(...values);
    return window.dash_clientside.no_update;
  };

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    explorer: {
      start: quietly(start),
      controlsChanged: quietly((...values) => explorer.controlsChanged(...values)),
      scaleChanged: quietly((scale) => explorer.scaleChanged(scale)),
    },
  });
})();
