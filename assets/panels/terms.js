// Terms (see dom.js): a press on one explains it in a popover beside it, one at a time.

import { byId, element, say } from "../core/dom.js";
import { view } from "../core/store.js";

const EDGE = 8; // px to the window's edge

/** @type {HTMLElement} */
let popover;
/** @type {HTMLElement | null} */
let shown = null; // the term that is explained

export function startTerms() {
  popover = element("div", { id: "term-popover", popover: "manual" });
  document.addEventListener("click", ({ target }) => {
    const pressed = target instanceof Element ? /** @type {HTMLElement | null} */ (target.closest(".term")) : null;
    if (pressed && pressed !== shown) show(pressed);
    else if (pressed || !(target instanceof Node && popover.contains(target))) hide();
  });
  // before the page's own Escape, which unmarks a pixel or closes a dialog
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Escape" || !shown) return;
      event.preventDefault();
      event.stopPropagation();
      hide();
    },
    true
  );
  document.addEventListener("focusin", ({ target }) => target !== shown && !popover.contains(/** @type {Node} */ (target)) && hide());
  window.addEventListener("resize", follow);
  document.addEventListener("scroll", follow, { capture: true, passive: true });
}

/** @param {HTMLElement} pressed */
function show(pressed) {
  hide();
  shown = pressed;
  const { text, concept } = view.config.terms[pressed.dataset.term ?? ""];
  const more = concept ? element("button", { type: "button", text: "More", onclick: () => openConcept(concept) }) : null;
  popover.replaceChildren(text, ...(more ? [more] : []));
  pressed.after(popover); // so that Tab leads from the term into it, in a dialog too
  pressed.focus(); // which a click does not do in every browser
  say(text);
  pressed.setAttribute("aria-expanded", "true");
  pressed.setAttribute("aria-describedby", popover.id);
  popover.showPopover();
  follow();
}

/** It stays at its term, as long as that can be seen. */
function follow() {
  if (!shown) return;
  const term = shown.getBoundingClientRect();
  if (!term.width || term.bottom < 0 || term.top > window.innerHeight) return hide();
  const { width, height } = popover.getBoundingClientRect();
  const below = term.bottom + 6 + height <= window.innerHeight - EDGE;
  popover.style.left = `${Math.max(EDGE, Math.min(term.left, window.innerWidth - width - EDGE))}px`;
  popover.style.top = `${below ? term.bottom + 6 : Math.max(EDGE, term.top - height - 6)}px`;
}

function hide() {
  if (!shown) return;
  shown.setAttribute("aria-expanded", "false");
  shown.removeAttribute("aria-describedby");
  shown = null;
  popover.remove(); // which hides it
}

/** @param {string} name */
function openConcept(name) {
  shown?.closest("dialog")?.close();
  hide();
  const fold = /** @type {HTMLDetailsElement} */ (byId(`concept-${name}`));
  fold.open = true;
  fold.scrollIntoView({ block: "nearest" });
  /** @type {HTMLElement} */ (fold.firstElementChild).focus();
}
