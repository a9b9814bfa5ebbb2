// What a method is: its card, opened from the Methods tab, with its map large, its entry, and its own settings.
(function () {
  "use strict";
  const explorer = (window.explorer = window.explorer || {});
  const { element, number, signed, percent, view } = explorer;

  explorer.openMethod = function (name) {
    const method = view.config.methods[name];
    const host = element("div", { class: "large" });
    const measured = element("dl", {});
    const content = element("div", { class: "method-entry" }, element("div", {}, host, measured), element("div", {}, entry(method), settings(name, method)));
    const dialog = explorer.openDialog(method.title, content);
    dialog.classList.add("wide");
    const map = new explorer.PixelMap(host, { name, title: method.title, kind: "signed", numbers: true, everyNumber: true, bare: true });
    const refusal = element("p", { class: "quiet" });
    host.append(refusal);
    const draw = () => {
      const result = explorer.resultOf(name);
      refusal.textContent = (result && result.refusal) || "";
      map.root.hidden = Boolean(result && result.refusal);
      map.root.classList.toggle("waiting", !result);
      if (!result || !result.map) {
        measured.replaceChildren();
        return;
      }
      map.set(result.map, explorer.largest(result.map));
      measured.replaceChildren(...figures(method, result));
    };
    map.set(new Array(64).fill(0), 0);
    draw();
    const ends = [explorer.on("methods", draw), explorer.on("adopted", () => dialog.close())]; // Back may change what it shows
    dialog.addEventListener("close", () => {
      map.remove();
      ends.forEach((end) => end());
    });
  };

  const pairs = (lines) => lines.flatMap(([term, text]) => [element("dt", { text: term }), element("dd", {}, text)]);

  function entry(method) {
    const invariant = method.invariant
      ? "Yes: networks that compute the same get the same map."
      : "No: the same function, written with other layers, may get another map.";
    return element(
      "dl",
      { class: "entry" },
      ...pairs([
        ["Formula", element("span", { class: "formula", text: method.formula, translate: "no" })],
        ["Paper", `${method.paper}. ${method.reference}`],
        ["Family", method.family],
        ["Explains", method.explains === "logit" ? "the target’s logit, whichever output is chosen" : "F, the chosen output"],
        ["Sums to", method.complete || "nothing is promised"],
        ["Invariant", invariant],
        ["Costs", method.passes],
        ["Misleads", method.misleads],
      ])
    );
  }

  function figures(method, result) {
    const lines = [["SNR", number(result.snr)], ["Σ attribution", signed(result.total, 4)]];
    if (result.goal !== null && result.goal !== undefined) {
      lines.push(["should be", signed(result.goal, 4)], ["off by", `${signed(result.delta)}${result.share === null ? "" : ` (${percent(result.share)})`}`]);
    }
    if (result.noise !== null && result.noise !== undefined) lines.push(["|mean| ÷ error", number(result.noise)]);
    if (result.forward !== undefined) lines.push(["passes in all", `${result.forward} forward, ${result.backward} backward`]);
    return pairs(lines);
  }

  // ---- settings: those of the page are told, the method's own can be changed here

  function settings(name, method) {
    const own = method.settings.filter(({ shared }) => !shared);
    const given = view.state.options[name] || {};
    const of = method.settings.filter(({ shared, name: key }) => shared && !(key in given));
    const alone = method.settings.filter(({ shared, name: key }) => shared && key in given);
    const parts = own.map((setting) => field(name, setting));
    if (of.length) {
      const told = of.map(({ name: key, title }) => `${title}: ${saidOf(name, key, view.state[key])}`);
      parts.push(element("p", { class: "quiet", text: `From the page’s settings: ${told.join("; ")}.` }));
    }
    if (alone.length) parts.push(element("p", { class: "quiet", text: `For this method alone: ${alone.map(({ name: key, title }) => `${title}: ${given[key]}`).join("; ")}.` }));
    return parts.length ? element("div", { class: "method-settings" }, element("h3", { text: "Settings" }), ...parts) : null;
  }

  // The exact rule is Integrated Gradients' own; others that take a rule then use Gauss–Legendre.
  function saidOf(method, key, value) {
    if (key === "rule" && value === "exact" && method !== "integrated_gradients") return "gauss-legendre (the exact rule is Integrated Gradients’ own)";
    return value === true ? "yes" : value === false ? "no" : value;
  }

  function field(name, setting) {
    const current = (view.state.options[name] || {})[setting.name] ?? setting.default;
    const problem = element("span", { class: "refusal", role: "alert" });
    const input = inputFor(setting, current, (value) => {
      const text = wrong(setting, value);
      problem.textContent = text;
      if (!text) explorer.setOption(name, setting, value);
    });
    input.id = `option-${setting.name}`;
    return element("div", { class: "tool-field" }, element("label", { for: input.id, text: setting.title }), input, problem);
  }

  function inputFor(setting, current, changed) {
    if (setting.kind === "truth") {
      const input = element("input", { type: "checkbox", class: "form-check-input", checked: current, onchange: () => changed(input.checked) });
      return input;
    }
    if (setting.kind === "choice") {
      const options = setting.choices.map((text) => element("option", { value: text, text, selected: text === current }));
      const input = element("select", { class: "form-select form-select-sm", onchange: () => changed(input.value) }, ...options);
      return input;
    }
    const input = element("input", {
      type: "number",
      class: "form-control form-control-sm",
      min: setting.low,
      max: setting.high,
      step: setting.kind === "whole" ? 1 : "any",
      value: current,
      onchange: () => changed(input.value === "" ? NaN : Number(input.value)),
    });
    return input;
  }

  function wrong(setting, value) {
    if (setting.kind === "truth" || setting.kind === "choice") return "";
    const fits = Number.isFinite(value) && value >= setting.low && value <= setting.high && (setting.kind !== "whole" || Number.isInteger(value));
    return fits ? "" : `${setting.title} must be a ${setting.kind === "whole" ? "whole " : ""}number from ${setting.low} to ${setting.high}.`;
  }
})();
