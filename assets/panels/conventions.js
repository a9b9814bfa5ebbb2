// Conventions: one choice sets the gradient methods as a paper or a library has them, and says what differs and what is left.

import { byId, element } from "../core/dom.js";
import { on } from "../core/events.js";
import { sameValue } from "../core/link.js";
import { view } from "../core/store.js";
import { choose } from "./controls.js";

/** @import { Convention, State } from "../types.js" */

/** @type {HTMLSelectElement} */
let select;
/** @type {HTMLElement} */
let notes;

export function startConventions() {
  const all = Object.entries(view.config.conventions);
  const options = all.map(([value, { title }]) => element("option", { value, text: title }));
  const own = element("option", { value: "", text: "as set on this page" });
  select = element("select", { id: "convention-choice", class: "form-select form-select-sm", onchange: chooseConvention }, own, ...options);
  notes = element("div", { class: "convention-notes", role: "status" });
  const field = element("div", { class: "tool-field" }, element("label", { for: "convention-choice", text: "Conventions" }), select);
  byId("convention").append(field, notes);
  on("state", show);
}

/**
 * What a convention means for the state: shared settings it sets, and every method's options anew.
 * @param {Convention} convention
 * @returns {Partial<State>}
 */
function patchOf({ shared, options }) {
  const kept = Object.entries(view.config.methods).flatMap(([name, method]) => {
    const own = options[name] ?? {};
    const named = method.settings.filter((setting) => setting.name in own);
    const given = named.filter((setting) => setting.shared || own[setting.name] !== setting.default);
    return given.length ? [[name, Object.fromEntries(given.map((setting) => [setting.name, own[setting.name]]))]] : [];
  });
  return { ...shared, options: Object.fromEntries(kept) };
}

function chooseConvention() {
  const convention = view.config.conventions[select.value];
  if (convention) choose(patchOf(convention));
  else show();
}

/** The convention that the state follows in everything, if there is one. */
function followed() {
  const follows = (/** @type {Convention} */ convention) => Object.entries(patchOf(convention)).every(([key, value]) => sameValue(view.state[/** @type {keyof State} */ (key)], value));
  return Object.entries(view.config.conventions).find(([, convention]) => follows(convention))?.[0] ?? "";
}

function show() {
  const name = followed();
  if (select.value === name && notes.dataset.shown === name) return;
  select.value = name;
  notes.dataset.shown = name;
  const convention = view.config.conventions[name];
  notes.replaceChildren(...(convention ? notesOf(convention) : []));
}

/** @param {Convention} convention */
function notesOf({ title, source, shared, notes: texts }) {
  const rule = `${shared.rule} rule, m = ${shared.steps}, ${shared.baseline} baseline; ${shared.samples} noisy copies, noise ${Math.round(100 * shared.noise_level)} %${shared.clip ? ", clipped" : ""}.`;
  return [
    element("p", {}, element("b", { text: `Set ${title}: ` }), `${rule} Methods and Compare also follow it in each method’s own settings; the other tabs do not.`),
    element("p", { class: "quiet", text: `After ${source}.` }),
    element("details", {}, element("summary", { text: "What differs" }), element("ul", {}, ...texts.map((text) => element("li", { text })))),
  ];
}
