// Present: the path alone, large enough for the last row; and the menu of narrow screens.

import { byId } from "../core/dom.js";
import { emit } from "../core/events.js";
import { view } from "../core/store.js";
import { redraw, showTab } from "./tabs.js";

export function startPresent() {
  byId("present").addEventListener("click", () => present(true));
  byId("leave-present").addEventListener("click", () => present(false));
  // before the keys of the page, for which Esc unmarks a pixel
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Escape" || !isPresenting() || document.querySelector("dialog[open]")) return;
      event.stopPropagation();
      present(false);
    },
    true
  );
  byId("menu").addEventListener("click", () => showMenu(byId("menu").getAttribute("aria-expanded") !== "true"));
  document.addEventListener("keydown", (event) => event.key === "Escape" && !document.querySelector("dialog[open]") && showMenu(false));
}

const isPresenting = () => document.body.classList.contains("present");

/** @param {boolean} on */
function present(on) {
  showMenu(false);
  const { tab, lab, lesson } = view.state;
  const inClass = document.body.classList.contains("in-class"); // see classroom/view.js
  if (on && !inClass && !lesson && !(tab === "labs" && lab)) showTab("integrated"); // an open lab, or the step of a lesson, is presented as it is
  document.body.classList.toggle("present", on);
  emit("present", on);
  byId("leave-present").hidden = !on;
  if (view.state.tab === "labs") redraw(); // charts have larger text there
  byId(!on ? "present" : inClass || view.state.tab !== "integrated" ? "leave-present" : "play").focus();
}

/** The menu gives way to what was chosen; a focus that it had is on its button then. */
export function closeMenu() {
  if (byId("menu").getAttribute("aria-expanded") !== "true") return;
  const held = document.activeElement?.closest(".topbar");
  showMenu(false);
  if (held) byId("menu").focus({ preventScroll: true });
}

/** @param {boolean} open */
function showMenu(open) {
  byId("menu").setAttribute("aria-expanded", String(open));
  document.body.classList.toggle("menu-open", open);
}
