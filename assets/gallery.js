// The fourth tab: every method's map of the current picture, small, with its figures; sorted, filtered, pinned to Compare.
(function () {
  "use strict";
  const explorer = (window.explorer = window.explorer || {});
  const { byId, element, number, signed, percent, view } = explorer;
  const cards = {}; // by method: { root, map, refusal, pin }
  const choice = { sort: "family", family: "", show: "all", text: "" };
  let progress;

  const methods = () => view.config.methods;
  const shareOf = (result) => (result && result.goal !== null && result.goal !== undefined ? result.share : null);

  // Each sorts by what it gives, the smallest first; what is not known comes last.
  const SORTS = {
    family: { title: "Family", key: null },
    snr: { title: "SNR, most concentrated first", key: (name, result) => -result.snr },
    delta: { title: "Completeness, best kept first", key: (name, result) => shareOf(result) ?? Infinity },
    passes: { title: "Cost, fewest passes first", key: (name, result) => result.forward + result.backward },
    year: { title: "Year", key: (name) => methods()[name].year },
    name: { title: "Name", key: (name) => methods()[name].title },
  };
  const SHOWN = {
    all: ["All", () => true],
    applies: ["Those that apply here", (name) => !methods()[name].refusals[view.asked.network]],
    complete: ["Those that promise a sum", (name) => methods()[name].complete !== ""],
    invariant: ["Implementation invariant", (name) => methods()[name].invariant],
    variant: ["Not invariant", (name) => !methods()[name].invariant],
  };

  explorer.startGallery = function () {
    buildTools();
    Object.keys(methods()).forEach(buildCard);
    explorer.on("methods", (names) => {
      if (view.state.tab !== "methods") return;
      if (names === null || names.some((name) => !explorer.isWhole(name))) explorer.whenQuiet(want);
      if (names !== null) draw();
    });
    explorer.on("state", (patch) => patch.pinned && showPins());
    explorer.onShown("methods", draw);
    explorer.on("tab", (tab) => tab === "methods" && view.answer && !explorer.isAsking() && setTimeout(want)); // the picture rests: no need to wait
  };

  function want() {
    if (view.state.tab === "methods") explorer.wantMethods(Object.keys(methods()));
  }

  // ---- the tools above the maps

  function buildTools() {
    const select = (label, name, options) => {
      const input = element("select", { class: "form-select form-select-sm", onchange: () => choose(name, input.value) }, ...options.map(([value, text]) => element("option", { value, text })));
      return field(label, name, input);
    };
    const field = (label, name, input) => {
      input.id = `methods-${name}`;
      return element("div", { class: "tool-field" }, element("label", { for: input.id, text: label }), input);
    };
    const text = element("input", { type: "search", class: "form-control form-control-sm", oninput: () => choose("text", text.value.toLowerCase()) });
    progress = { bar: element("progress", { "aria-label": "Methods that have answered" }), text: element("span", { class: "quiet" }), shown: element("span", { class: "quiet" }) };
    byId("methods-tools").append(
      select("Sort by", "sort", Object.entries(SORTS).map(([value, { title }]) => [value, title])),
      select("Family", "family", [["", "All families"], ...view.config.families.map((family) => [family, family])]),
      select("Show", "show", Object.entries(SHOWN).map(([value, [title]]) => [value, title])),
      field("Find", "text", text),
      element("div", { class: "methods-count" }, progress.text, progress.shown),
      progress.bar
    );
  }

  function choose(name, value) {
    choice[name] = value;
    if (view.answer) arrange();
  }

  // ---- the cards

  function buildCard(name) {
    const { title, paper } = methods()[name];
    const open = element("button", { type: "button", class: "method-title", text: title, title: `${title} (${paper}): what it is`, onclick: () => explorer.openMethod(name) });
    const pin = element("input", { type: "checkbox", class: "form-check-input", onchange: () => setPinned(name, pin.checked) });
    const pinLabel = element("label", { class: "pin", title: `Show ${title} in Compare` }, pin, element("span", { text: "Pin" }, element("span", { class: "visually-hidden", text: ` ${title}` })));
    const root = element("div", { class: "method-card" }, element("div", { class: "method-head" }, open));
    const map = new explorer.PixelMap(root, { name, title, kind: "signed", bare: true, onselect: () => explorer.openMethod(name) });
    map.surface.classList.add("opens");
    map.set(new Array(64).fill(0), 0); // until there is something to be seen
    const refusal = element("p", { class: "method-refusal quiet", hidden: true });
    root.append(refusal, pinLabel);
    cards[name] = { root, map, refusal, pin };
  }

  function setPinned(name, on) {
    const { pinned } = view.state;
    const next = on ? [...pinned, name] : pinned.filter((other) => other !== name);
    if (next.length >= 1 && next.length <= view.config.most_pinned) {
      explorer.update({ pinned: next });
      explorer.commitUnasked();
    }
    showPins();
  }

  function showPins() {
    const { pinned } = view.state;
    const full = pinned.length >= view.config.most_pinned;
    Object.entries(cards).forEach(([name, { pin }]) => {
      pin.checked = pinned.includes(name);
      const refused = view.asked && methods()[name].refusals[view.asked.network];
      const only = pinned.length === 1 && pin.checked;
      pin.disabled = (full && !pin.checked) || only || Boolean(refused && !pin.checked);
      const title = methods()[name].title;
      pin.parentElement.title = only ? "One has to stay" : full && !pin.checked ? `${pinned.length} are pinned: untick one of them first` : `Show ${title} in Compare`;
    });
  }

  function draw() {
    if (!view.answer) return;
    Object.keys(cards).forEach(drawCard);
    showPins();
    arrange();
    showProgress();
  }

  function drawCard(name) {
    const { root, map, refusal } = cards[name];
    const result = explorer.isWhole(name) || methods()[name].refusals[view.asked.network] ? explorer.resultOf(name) : null;
    const there = Boolean(result && result.map);
    root.classList.toggle("waiting", !result);
    refusal.hidden = !(result && result.refusal);
    map.root.hidden = !refusal.hidden;
    if (!refusal.hidden) refusal.textContent = result.refusal;
    if (!there) return;
    map.set(result.map, explorer.largest(result.map));
    map.describe("", figuresOf(name, result));
  }

  // The colour scale's limit, SNR, what the sum misses, and the passes, one line each.
  function figuresOf(name, result) {
    const sum = result.goal === null || result.goal === undefined ? "no sum promised" : `Σ off by ${result.share === null ? signed(result.delta) : percent(result.share)}`;
    const unit = methods()[name].explains === "logit" && view.asked.output === "probability" ? ", logit" : "";
    const own = explorer.hasOptions(name) ? "\nown settings" : "";
    return `± ${number(explorer.largest(result.map))}${unit}\nSNR ${number(result.snr)}\n${sum}\n${result.forward}+${result.backward} passes${own}`;
  }

  function showProgress() {
    const names = Object.keys(cards).filter((name) => !methods()[name].refusals[view.asked.network]);
    const ready = names.filter(explorer.isWhole).length;
    progress.bar.max = names.length;
    progress.bar.value = ready;
    progress.bar.classList.toggle("done", ready === names.length);
    explorer.write(progress.text, ready === names.length ? `${ready} methods` : `${ready} of ${names.length}`);
    explorer.methodWords = ready === names.length ? tell(names) : "Each method answers a question of its own about the same picture; their maps come in as they are ready.";
    explorer.emit("words");
  }

  // What all the answers together say.
  function tell(names) {
    const results = names.map((name) => ({ name, title: methods()[name].title, ...explorer.resultOf(name) })).filter(({ map }) => map);
    const promised = results.filter(({ goal }) => goal !== null && goal !== undefined);
    const kept = promised.filter(({ share, delta, mean }) => (share === null ? Math.abs(delta) <= 64e-9 * mean : share <= 0.01)); // to rounding, where it is 0
    const told = results.filter(({ snr }) => snr > 0).sort((a, b) => b.snr - a.snr);
    const ends = told.length ? ` The most concentrated map is that of ${told[0].title} (SNR ${number(told[0].snr)}), the most diffuse that of ${told[told.length - 1].title} (${number(told[told.length - 1].snr)}).` : "";
    return (
      `${results.length} methods answer for this network. For ${promised.length} it is known what their map should sum to, for some of them roughly; ${kept.length} come within 1 % of it here.${ends} ` +
      "Click one to read what it asks, and when it misleads."
    );
  }

  // ---- order

  function arrange() {
    const shown = Object.keys(cards).filter(isShown);
    explorer.write(progress.shown, counted(shown.length));
    const { key } = SORTS[choice.sort];
    const groups = key ? [["", sorted(shown, key)]] : view.config.families.map((family) => [family, shown.filter((name) => methods()[name].family === family)]);
    const parts = groups.filter(([, names]) => names.length).map(([family, names]) => group(family, names));
    byId("methods-grid").replaceChildren(...(parts.length ? parts : [element("p", { class: "quiet", text: "No method is like that." })]));
  }

  // Where the page's text says how many there are, it says how many of them are seen.
  const counted = (shown) => (shown < Object.keys(cards).length ? `${shown} of ${Object.keys(cards).length} shown` : "");

  function isShown(name) {
    const { title, paper, family } = methods()[name];
    const said = `${title} ${paper} ${family}`.toLowerCase();
    return (!choice.family || family === choice.family) && SHOWN[choice.show][1](name) && said.includes(choice.text);
  }

  function sorted(names, key) {
    const worth = (name) => {
      const result = explorer.resultOf(name);
      const value = result && (result.map || choice.sort === "year" || choice.sort === "name") ? key(name, result) : Infinity;
      return Number.isNaN(value) ? Infinity : value;
    };
    const compare = (a, b) => (a === b ? 0 : a < b ? -1 : 1);
    return names.map((name) => [worth(name), name]).sort(([a], [b]) => (typeof a === typeof b ? compare(a, b) : typeof a === "string" ? -1 : 1)).map(([, name]) => name);
  }

  function group(family, names) {
    const head = family ? [element("h3", { text: family[0].toUpperCase() + family.slice(1) })] : [];
    return element("section", { class: "method-group" }, ...head, element("div", { class: "method-cards" }, ...names.map((name) => cards[name].root)));
  }
})();
