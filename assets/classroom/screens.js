// What a teacher does with the screens of the class: hold them, so that all look at one thing, or cover them.

import { element } from "../core/dom.js";

// What a student may still press while the screens are held: it changes nothing of what is explained.
const FREE = "#class-bar, #class-dock, #class-view, #class, #theme, #keys, #menu, #notices, dialog, .term, a, summary";
const STOPPED = ["pointerdown", "pointermove", "mousedown", "touchstart", "click", "dblclick", "keydown", "beforeinput", "input", "change", "paste", "drop"];

let held = false;
let blocked = () => {};

/** @param {Event} event */
function stop(event) {
  const target = event.target instanceof Element ? event.target : document.body;
  if (target.closest(FREE) || (event.type === "keydown" && isHarmless(/** @type {KeyboardEvent} */ (event)))) return;
  event.stopImmediatePropagation();
  if (event.type === "touchstart" ? target.matches("input") : event.cancelable) event.preventDefault(); // a finger may still scroll
  if (["pointerdown", "keydown", "touchstart"].includes(event.type)) blocked();
}

/** @param {KeyboardEvent} event */
function isHarmless({ key, ctrlKey, metaKey, target }) {
  if (["Tab", "Escape", "Shift", "Control", "Alt", "Meta"].includes(key) || /^F\d/.test(key)) return true;
  if (["PageUp", "PageDown"].includes(key)) return !(/** @type {Element} */ (target).closest("[role=grid], input, select"));
  return (ctrlKey || metaKey) && !["z", "y", "v", "x"].includes(key.toLowerCase());
}

/**
 * Of bar and dock, whose keys work while the screens are held: those of the explorer do not come from there either.
 * @param {KeyboardEvent} event
 */
export const keepKeys = (event) => held && event.key !== "Escape" && event.stopPropagation();

/**
 * @param {boolean} on
 * @param {() => void} told what to do when somebody tries to change something
 */
export function holdScreen(on, told = () => {}) {
  blocked = told;
  if (on === held) return;
  held = on;
  if (on) window.dispatchEvent(new Event("blur")); // a stroke that is going on ends
  document.body.classList.toggle("class-held", on);
  STOPPED.forEach((name) => (on ? window.addEventListener(name, stop, { capture: true, passive: false }) : window.removeEventListener(name, stop, { capture: true })));
}

/** @type {HTMLDialogElement | null} */
let cover = null;

/** @param {boolean} on */
export function coverScreen(on) {
  if (!on) {
    const gone = cover;
    cover = null;
    gone?.close();
    gone?.remove();
  } else if (!cover) {
    const text = element("p", { id: "class-clear-text", text: "Please look up. Your teacher has cleared the screens." });
    const shown = element("dialog", { class: "class-clear", tabindex: "-1", "aria-labelledby": "class-clear-text", oncancel: (/** @type {Event} */ event) => event.preventDefault() }, text);
    shown.addEventListener("close", () => cover === shown && shown.showModal()); // Esc twice closes any dialog
    cover = shown;
    document.body.append(shown);
    shown.showModal();
  }
}
