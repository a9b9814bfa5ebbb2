// The dock of the class: small panels at the edge of the page. They take no focus by themselves, push nothing away and can be made smaller.

import { byId, element, smallButton, write } from "../core/dom.js";
import { keepKeys } from "./screens.js";

/**
 * @typedef {{
 *   root: HTMLElement, body: HTMLElement, foot: HTMLElement, rename: (title: string) => void, aside: (text: string) => void,
 *   show: (on: boolean) => void, small: (on: boolean) => void, focus: () => void,
 * }} DockPanel
 * `aside`: beside the title, seen also while the panel is small.
 */

const news = element("p", { class: "visually-hidden", role: "status" });
const dock = element("section", { id: "class-dock", class: "class-dock", "aria-label": "Questions and challenges of the class" }, news);

dock.addEventListener("keydown", keepKeys);

const NARROW = 700; // px of the window, below which one panel has room
const LOW = 800;
const isCrowded = () => window.innerWidth < NARROW || window.innerHeight < LOW;

/** @type {((on: boolean) => void)[]} */
const panels = [];

/** @param {(on: boolean) => void} one that has the room */
const others = (one) => panels.forEach((small) => small !== one && small(true));

/**
 * For those who hear the page: what came by itself.
 * @param {string} text
 */
export const tell = (text) => write(news, text);

/** Where the keyboard goes on when what it was in is gone: a press of Enter there does nothing. */
export const focusBar = () => document.getElementById("class-bar")?.focus({ preventScroll: true });

/**
 * @param {string} kind its class
 * @param {{ label: string, close: () => void } | null} [closing] what its button ✕ does
 * @returns {DockPanel}
 */
export function dockPanel(kind, closing = null) {
  if (!dock.isConnected) byId("class-bar").after(dock); // the next Tab after the bar leads here
  const title = element("h2", { class: "class-panel-title", tabindex: "-1" });
  const beside = element("span", { class: "class-panel-aside" });
  const size = smallButton("Smaller", () => {
    const on = !root.classList.contains("small");
    if (!on && isCrowded()) others(small);
    small(on);
  });
  const close = closing && element("button", { type: "button", class: "btn-close", "aria-label": closing.label, title: closing.label, onclick: closing.close });
  const body = element("div", { class: "class-panel-body" });
  const foot = element("div", { class: "class-panel-foot" });
  const root = element("article", { class: `class-panel ${kind}`, hidden: true }, element("div", { class: "class-panel-head" }, title, beside, size, close), body, foot);
  const small = (/** @type {boolean} */ on) => {
    root.classList.toggle("small", on);
    write(size, on ? "Larger" : "Smaller");
    size.setAttribute("aria-expanded", String(!on));
  };
  small(false);
  dock.append(root);
  new ResizeObserver(() => (body.scrollHeight > body.clientHeight + 1 ? body.setAttribute("tabindex", "0") : body.removeAttribute("tabindex"))).observe(body); // else no key scrolls it
  const show = (/** @type {boolean} */ on) => {
    if (on && root.hidden && isCrowded()) others(small); // there is room for one
    const held = !on && root.contains(document.activeElement);
    root.hidden = !on;
    if (held) focusBar(); // else the next Tab would begin at the top of the page
  };
  panels.push(small);
  return {
    root,
    body,
    foot,
    rename: (text) => {
      write(title, text);
      root.setAttribute("aria-label", text);
      size.setAttribute("aria-label", `Smaller or larger: ${text}`);
    },
    aside: (text) => write(beside, text),
    show,
    small: (on) => {
      if (!on && isCrowded()) others(small);
      small(on);
    },
    focus: () => title.focus({ preventScroll: true }),
  };
}
