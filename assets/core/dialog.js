// Dialogs over the page.

import { element } from "./dom.js";

/**
 * @param {string} title
 * @param {(Node | string | null | undefined)[]} content
 */
export function openDialog(title, ...content) {
  const close = element("button", { type: "button", class: "btn-close", "aria-label": "Close", onclick: () => dialog.close() });
  const dialog = element(
    "dialog",
    { "aria-label": title, onclose: () => dialog.remove(), onclick: (/** @type {Event} */ event) => event.target === dialog && dialog.close() },
    element("div", { class: "dialog-body" }, element("div", { class: "head" }, element("h2", { text: title }), close), ...content)
  );
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * A link, to be copied by hand.
 * @param {string} label
 * @param {string} link
 */
export const linkField = (label, link) => element("input", { class: "form-control", readonly: true, value: link, "aria-label": label });

/**
 * Returns whether that worked: there is no clipboard without https or permission.
 * @param {string} text
 */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
