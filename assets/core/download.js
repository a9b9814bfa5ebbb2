// Files that the page gives to be saved. A download that is refused, as in some iframes, tells the page nothing: there what was
// saved can be shown as well.

import { className, pictureName } from "./derived.js";
import { copy, linkField, openDialog } from "./dialog.js";
import { element, smallButton } from "./dom.js";
import { notice } from "./notices.js";
import { link } from "./session.js";
import { view } from "./store.js";

/** @import { State } from "../types.js" */

let removeOffer = () => {};

/** The whole link of a state. */
export const address = (/** @type {State} */ state) => `${window.location.origin}${window.location.pathname}${link(state)}`;

/**
 * @param {string} name
 * @param {Blob} blob
 */
export function download(name, blob) {
  const url = URL.createObjectURL(blob);
  const anchor = element("a", { href: url, download: name });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
  removeOffer();
  if (window.top === window && window.origin !== "null") return;
  if (document.querySelector("dialog[open]")) show(name, blob); // a notice would lie below it
  else removeOffer = notice("No file? Where this page is shown, saving may be forbidden.", { button: smallButton("Show it here", () => show(name, blob)) });
}

/**
 * What is in a file, to be copied from the page, and where it can be saved. (No link: a window that is opened from a
 * sandbox is in the same one.)
 * @param {string} name
 * @param {Blob} blob
 */
async function show(name, blob) {
  const url = URL.createObjectURL(blob);
  const shown = blob.type.startsWith("image/") ? shownPicture(name, url) : shownText(name, await blob.text());
  const where = element("p", { text: "In a browser tab of its own this page can save files. Its address, to be copied into one:" });
  const dialog = openDialog(name, ...shown, where, linkField("Link to this state", address(view.state)));
  dialog.addEventListener("close", () => URL.revokeObjectURL(url));
}

/**
 * @param {string} name
 * @param {string} url
 */
const shownPicture = (name, url) => [
  element("img", { class: "img-fluid", src: url, alt: name }),
  element("p", { text: "Its context menu copies or saves it; on a touch screen, press long." }),
];

/**
 * A text in a field of its own, with a button that copies it.
 * @param {string} name
 * @param {string} text
 */
export function shownText(name, text) {
  const content = element("textarea", { class: "form-control", rows: 10, readonly: true, "aria-label": name });
  content.value = text;
  const button = smallButton("Copy all", async () => {
    content.select();
    button.textContent = (await copy(text)) || document.execCommand("copy") ? "Copied" : "Selected: now press Ctrl C";
  });
  return [content, element("p", {}, button)];
}

/**
 * Such as gradient-ring-of-circle-by-shapes.png
 * @param {string} what
 * @param {string} ending
 */
export function fileName(what, ending) {
  const parts = [what, className(view.answer.target), "of", pictureName(view.asked.pixels).title, "by", view.asked.network];
  return `${parts.join("-").toLowerCase().replace(/[^a-z0-9]+/g, "-")}.${ending}`;
}
