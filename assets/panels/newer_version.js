// A server that runs another version than the page: said once, with a button that reloads, and never reloaded unasked.

import { addressed } from "../core/address.js";
import { element, smallButton, write } from "../core/dom.js";
import { on } from "../core/events.js";
import { notice } from "../core/notices.js";
import { commitLooks, currentLink } from "../core/session.js";
import { adoptPaintingHistory, paintingHistory } from "./undo.js";

const KEY = "explorer-kept"; // what a reload takes along, read once and then deleted

/** @type {Set<string>} */
const others = new Set(); // versions that were heard of; while replicas are replaced, they alternate
/** @type {Set<string>} */
const dismissed = new Set(); // and those that were offered in vain
let urgentDismissed = false;
/** @type {{ remove: () => void, urgent: boolean } | null} */
let offer = null; // the notice, while it is there
/** @type {() => Promise<boolean>} */
let lookForPage;

/** Whether there is a page to be loaded: a browser's own error page would be all that is left of this one. */
export const isThere = () => lookForPage();

/** @param {() => Promise<boolean>} look whether the page is there */
export function startNewerVersion(look) {
  lookForPage = look;
  on("other-version", (version) => {
    others.add(version);
    if (!offer && !dismissed.has(version)) show(false);
  });
  on("outdated", () => {
    // worth saying once, also to a visitor who dismissed the notice of a newer version
    if (offer ? offer.urgent : urgentDismissed) return;
    offer?.remove();
    show(true);
  });
}

/** @param {boolean} urgent the page cannot show what the other version answers */
function show(urgent) {
  const here = `A newer version of this page is here${urgent ? ", and this one cannot show its answers" : ""}.`;
  const text = element("span", { text: `${here} Reloading keeps your ${hasStorage() ? "picture, settings and undo steps" : "picture and settings"}.` });
  const button = smallButton("Reload", () => reload(text));
  const ondismiss = () => {
    offer = null;
    others.forEach((version) => dismissed.add(version));
    urgentDismissed ||= urgent;
  };
  offer = { remove: notice(text, { button, ondismiss }), urgent };
}

/** @param {HTMLElement} text */
async function reload(text) {
  if (!(await isThere())) {
    write(text, "The server is away just now. Try to reload in a moment; your picture and settings are kept.");
    return;
  }
  if (keep()) window.location.reload();
  else window.location.replace(currentLink());
}

function hasStorage() {
  try {
    return Boolean(window.sessionStorage);
  } catch {
    return false; // it is refused in some iframes
  }
}

/** Returns whether that could be done. */
function keep() {
  commitLooks(); // browsers refuse too many entries in a row: the address may lag behind
  const kept = { address: addressed(), link: currentLink(), painting: paintingHistory() };
  try {
    window.sessionStorage.setItem(KEY, JSON.stringify(kept));
    return true;
  } catch {
    return false; // the link alone brings everything but the undo steps, and the address may lag behind
  }
}

/** What the page before the reload left behind, or null. */
export function takeKept() {
  try {
    const kept = JSON.parse(window.sessionStorage.getItem(KEY) ?? "null");
    window.sessionStorage.removeItem(KEY);
    if (kept?.address !== addressed()) return null; // the visitor went on to another link
    return { link: String(kept.link), restore: () => adoptPaintingHistory(kept.painting) };
  } catch {
    return null;
  }
}
