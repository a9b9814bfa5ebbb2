// The tabs: the ARIA pattern; panels stay in the page and are drawn when they are seen.

import { byId, debounced, keyOf } from "../core/dom.js";
import { emit, on } from "../core/events.js";
import { commitLooks, update } from "../core/session.js";
import { hasAnswer, view } from "../core/store.js";
import { maps } from "../draw/map.js";

/** @import { Panel } from "../types.js" */

/** @type {Record<string, Panel>} */
let panels = {};
/** @type {Set<string>} */
const stale = new Set(); // tabs whose panel has not been drawn since the last answer
/** @type {string | null} */
let shown = null;

/** @param {string} tab */
export function showTab(tab) {
  if (tab === view.state.tab) return;
  update({ tab });
  commitLooks();
}

/** @param {Record<string, Panel>} all in the order of their tabs */
export function startTabs(all) {
  panels = all;
  Object.keys(panels).forEach(startTab);
  on("state", () => {
    if (view.state.tab === shown) return;
    shown = view.state.tab;
    emit("tab", shown);
    showPanels();
  });
  on("theme", () => {
    maps.forEach((map) => map.draw());
    redraw();
  });
  window.addEventListener("resize", debounced(redraw, 150));
}

/** @param {string} name */
function startTab(name) {
  const tabs = Object.keys(panels);
  const i = tabs.indexOf(name);
  const button = byId(`tab-${name}`);
  button.addEventListener("click", (event) => {
    showTab(name);
    if (/** @type {PointerEvent} */ (event).pointerType) button.blur(); // the next keys are to play; a tab that the keyboard reached keeps them
  });
  button.addEventListener("keydown", (event) => {
    const places = /** @type {Record<string, number>} */ ({ ArrowLeft: (i + tabs.length - 1) % tabs.length, ArrowRight: (i + 1) % tabs.length, Home: 0, End: tabs.length - 1 });
    const to = places[keyOf(event)];
    if (to === undefined) return;
    event.preventDefault();
    showTab(tabs[to]);
    byId(`tab-${tabs[to]}`).focus();
  });
}

function showPanels() {
  const { tab } = view.state;
  document.body.dataset.tab = tab; // what the stylesheet arranges by
  Object.keys(panels).forEach((name) => {
    const button = byId(`tab-${name}`);
    button.setAttribute("aria-selected", String(name === tab));
    button.tabIndex = name === tab ? 0 : -1;
    byId(`panel-${name}`).hidden = name !== tab;
  });
  redrawIfStale();
  emit("sentence");
}

/** Draw the shown panel anew, and the others when they are seen. */
export function redraw() {
  Object.keys(panels).forEach((tab) => stale.add(tab));
  redrawIfStale();
}

function redrawIfStale() {
  const { tab } = view.state;
  if (!hasAnswer() || !stale.delete(tab)) return;
  panels[tab].draw();
}
