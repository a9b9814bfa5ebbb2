// Conventions: one choice sets the gradient methods as a paper or a library has them, and says what differs and what is left.
(function () {
  "use strict";
  const explorer = (window.explorer = window.explorer || {});
  const { byId, element, view } = explorer;
  let select;
  let notes;

  explorer.startConventions = function () {
    const all = Object.entries(view.config.conventions);
    const options = all.map(([value, { title }]) => element("option", { value, text: title }));
    const own = element("option", { value: "", text: "as set on this page" });
    select = element("select", { id: "convention-choice", class: "form-select form-select-sm", onchange: choose }, own, ...options);
    notes = element("div", { class: "convention-notes", role: "status" });
    const field = element("div", { class: "tool-field" }, element("label", { for: "convention-choice", text: "Conventions" }), select);
    byId("convention").append(field, notes);
    explorer.on("state", show);
  };

  // What a convention means for the state: shared settings it sets, and every method's options anew.
  function patchOf({ shared, options }) {
    const kept = Object.keys(view.config.methods).flatMap((name) => {
      const told = view.config.methods[name].settings.filter((setting) => setting.name in (options[name] || {}));
      const given = told.filter((setting) => setting.shared || options[name][setting.name] !== setting.default);
      return given.length ? [[name, Object.fromEntries(given.map((setting) => [setting.name, options[name][setting.name]]))]] : [];
    });
    return { ...shared, options: Object.fromEntries(kept) };
  }

  function choose() {
    const convention = view.config.conventions[select.value];
    if (convention) explorer.choose(patchOf(convention));
    else show();
  }

  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

  // The convention that the state follows in everything, if there is one.
  function followed() {
    const names = Object.keys(view.config.conventions);
    return names.find((name) => Object.entries(patchOf(view.config.conventions[name])).every(([key, value]) => same(view.state[key], value))) || "";
  }

  function show() {
    const name = followed();
    if (select.value === name && notes.dataset.shown === name) return;
    select.value = name;
    notes.dataset.shown = name;
    const convention = view.config.conventions[name];
    notes.replaceChildren(...(convention ? told(convention) : []));
  }

  function told({ title, source, shared, notes: texts }) {
    const rule = `${shared.rule} rule, m = ${shared.steps}, ${shared.baseline} baseline; ${shared.samples} noisy copies, noise ${Math.round(100 * shared.noise_level)} %${shared.clip ? ", clipped" : ""}.`;
    return [
      element("p", {}, element("b", { text: `Set ${title}: ` }), `${rule} Methods and Compare also follow it in each method’s own settings; the other tabs do not.`),
      element("p", { class: "quiet", text: `After ${source}.` }),
      element("details", {}, element("summary", { text: "What differs" }), element("ul", {}, ...texts.map((text) => element("li", { text })))),
    ];
  }
})();
