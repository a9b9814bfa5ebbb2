// QR codes: the server draws them, so that the page needs no script for it.

import { element, smallButton } from "./dom.js";
import { below } from "./server.js";

const WITHIN = 3000; // ms for an answer

/**
 * Draw the QR code of a text into an element; where that fails, it can be tried again.
 * @param {HTMLElement} host
 * @param {string} text
 */
export async function drawQr(host, text) {
  try {
    const response = await fetch(below("qr"), { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ text }), signal: AbortSignal.timeout(WITHIN) });
    if (!response.ok) throw new Error(await response.text());
    const drawn = new DOMParser().parseFromString(await response.text(), "image/svg+xml").documentElement;
    if (drawn.nodeName !== "svg") throw new Error("no picture");
    host.replaceChildren(document.importNode(drawn, true));
  } catch {
    host.replaceChildren(element("p", { text: "The QR code could not be drawn." }), smallButton("Try again", () => drawQr(host, text)));
  }
}
