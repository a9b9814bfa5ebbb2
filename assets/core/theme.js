// Light or dark: the system's theme unless the visitor chose one.

import { byId } from "./dom.js";
import { emit } from "./events.js";

/** @typedef {"light" | "dark"} Theme */

const KEY = "explorer-theme";

export const theme = () => /** @type {Theme} */ (document.documentElement.dataset.bsTheme || "light");

const systemDark = () => window.matchMedia("(prefers-color-scheme: dark)");

/** @returns {Theme} */
const systemTheme = () => (systemDark().matches ? "dark" : "light");

function storedTheme() {
  try {
    return /** @type {Theme | null} */ (window.localStorage.getItem(KEY));
  } catch {
    return null; // storage is refused in some iframes
  }
}

/** Before anything is drawn. */
export function applyFirstTheme() {
  document.documentElement.dataset.bsTheme = storedTheme() || systemTheme();
}

export function startTheme() {
  applyTheme(theme());
  systemDark().addEventListener("change", () => storedTheme() || applyTheme(systemTheme()));
  window.matchMedia("(forced-colors: active)").addEventListener("change", () => emit("theme"));
  byId("theme").addEventListener("click", () => {
    const next = theme() === "dark" ? "light" : "dark";
    try {
      window.localStorage.setItem(KEY, next);
    } catch {
      // it holds for this visit then
    }
    applyTheme(next);
  });
  startPrinting();
}

/** @param {Theme} next */
function applyTheme(next) {
  document.documentElement.dataset.bsTheme = next;
  const label = `Switch to the ${next === "dark" ? "light" : "dark"} theme`;
  byId("theme").setAttribute("aria-label", label);
  byId("theme").title = label;
  emit("theme");
}

/** Paper is white: for as long as the page is printed it has the light theme. */
function startPrinting() {
  const print = window.matchMedia("print");
  /** @type {Theme | null} */
  let seen = null; // the theme on the screen, while something is printed
  const begin = () => {
    seen = seen || theme();
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
