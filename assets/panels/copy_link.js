// The link of what is seen, copied, with a warning where it leads others to their own machine.

import { copy, linkField, openDialog } from "../core/dialog.js";
import { byId, element, smallButton } from "../core/dom.js";
import { notice } from "../core/notices.js";
import { below } from "../core/server.js";
import { currentLink } from "../core/session.js";
import { view } from "../core/store.js";

const OFFERED_FOR = 12000; // ms
const ADDRESSES_WITHIN = 2000; // ms for the server to say where others reach it

/** @typedef {{ text: string, link: string | null }} Warning its link is for others, where their address is known */

let removeWarning = () => {};

export function startCopyLink() {
  byId("copy-link").addEventListener("click", copyLink);
}

async function copyLink() {
  const query = currentLink(); // what was opened, while it is still being read
  const link = `${window.location.origin}${window.location.pathname}${query}`;
  const copied = await copy(link);
  if (copied) sayCopied();
  const warning = new RegExp(`^(?:${view.config.own_hosts})$`, "i").test(window.location.hostname) ? await warningAbout(query) : null;
  removeWarning();
  if (!copied) showLink(link, warning);
  else offerMore(link, warning);
}

/**
 * @param {string} link
 * @param {Warning | null} warning
 */
function offerMore(link, warning) {
  const other = warning?.link;
  const code = smallButton("Show its QR code", () => showCode(other ?? link));
  const buttons = element("span", { class: "notice-buttons" }, other ? smallButton("Copy the link for others", () => copyForOthers(other)) : null, code);
  const remove = notice(warning?.text ?? "The link is copied.", { button: buttons });
  const timer = warning ? 0 : setTimeout(remove, OFFERED_FOR);
  removeWarning = () => {
    clearTimeout(timer);
    remove();
  };
}

/** @param {string} link */
async function showCode(link) {
  try {
    await (await import("./take_home/parts.js")).openQr(link);
  } catch {
    notice("The server could not be reached. Please try again.");
  }
}

function sayCopied() {
  const button = byId("copy-link");
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = "Copy link"), 2000);
}

/**
 * @param {string} query
 * @returns {Promise<Warning>}
 */
async function warningAbout(query) {
  const only = `Only this machine can open a link to ${window.location.host}.`;
  const [other] = await addressesForOthers();
  if (other) return { text: `${only} Others open ${other}, unless a firewall stops them.`, link: other + query };
  return { text: `${only} To share it, serve with HOST=0.0.0.0 and open this machine’s address in the network.`, link: null };
}

/** @returns {Promise<string[]>} */
async function addressesForOthers() {
  if (window.origin === "null") return []; // in a sandbox the answer could not be read
  try {
    const response = await fetch(below("addresses"), { cache: "no-store", signal: AbortSignal.timeout(ADDRESSES_WITHIN) });
    return await response.json();
  } catch {
    return [];
  }
}

/** @param {string} link */
async function copyForOthers(link) {
  if (await copy(link)) sayCopied();
  else showLink(link, null);
}

/**
 * A link, selected, to be copied by hand.
 * @param {string} link
 * @param {Warning | null} warning
 */
function showLink(link, warning) {
  const field = linkField("Link to this state", link);
  const others = warning?.link ? linkField("Link for others", warning.link) : null;
  const code = smallButton("Show its QR code", () => showCode(warning?.link ?? link));
  openDialog("Copy this link", field, warning && element("p", { text: warning.text }), others, code);
  field.select();
}
