// How a class comes into the room: address, code and QR, large enough for the last row; and the teacher's own link.

import { copy, linkField, openDialog } from "../core/dialog.js";
import { element, write } from "../core/dom.js";
import { drawQr } from "../core/qr.js";
import { below } from "../core/server.js";
import { view } from "../core/store.js";

/** @import { Room } from "./room.js" */

const KEPT = "Kept while the room lasts: aliases, pictures, answers and scores. No names, no accounts. All is erased when you end the class, or 4 hours after the last action.";
const WITHIN = 3000; // ms for an answer
const SECRET = "Whoever has this link is the teacher of this room. Keep it for your own devices.";

/**
 * The address of this page that others can open: this machine's name for itself is of no use to them.
 * @returns {Promise<{ base: string, warning: string }>}
 */
async function addressForOthers() {
  const own = `${window.location.origin}${window.location.pathname}`;
  if (!new RegExp(`^(?:${view.config.own_hosts})$`, "i").test(window.location.hostname)) return { base: own, warning: "" };
  try {
    const response = await fetch(below("addresses"), { cache: "no-store", signal: AbortSignal.timeout(WITHIN) });
    const [other] = /** @type {string[]} */ (await response.json());
    if (other) return { base: other, warning: "" };
  } catch {
    // said below
  }
  return { base: own, warning: "Only this machine can open this address. Serve with HOST=0.0.0.0, so that the class can." };
}

/**
 * @param {string} base
 * @param {string} code
 */
const joinLink = (base, code) => `${base.replace(/\/?$/, "/")}?room=${code.toLowerCase()}`;

/**
 * @param {Room} room
 * @param {{ large: (on: boolean) => void, back: () => void, tools?: HTMLElement | null }} actions
 */
export function invitation(room, { large, back, tools = null }) {
  const code = room.code.toUpperCase();
  const address = element("b", { translate: "no" });
  const warning = element("p", { class: "class-failure" });
  const qr = element("div", { class: "class-qr", role: "img", "aria-label": "QR code of the address with the code" });
  const size = element("button", { type: "button", class: "button", "aria-pressed": "false", text: "Large code", onclick: () => large(size.getAttribute("aria-pressed") !== "true") });
  const link = element("button", { type: "button", class: "button", text: "Copy my teacher link", onclick: () => copyTeacherLink(room, link) });
  const letters = element("p", { class: "class-code", translate: "no", "aria-label": `Code ${code.split("").join(" ")}`, role: "img" }, ...code.split("").map((letter) => element("span", { text: letter, "aria-hidden": "true" })));
  const root = element(
    "section",
    { class: "class-invitation", "aria-label": "How to join" },
    element("h2", { class: "visually-hidden", text: "How to join" }),
    element("div", { class: "class-where" }, element("p", { class: "class-address" }, "Open ", address), element("p", { class: "class-type" }, "press ", element("b", { text: "Class" }), " and type"), letters),
    qr,
    warning,
    element("div", { class: "class-own" }, size, element("button", { type: "button", class: "button", text: "Back to the explorer", title: "The room goes on. Esc does this, too.", onclick: back })),
    tools,
    element("div", { class: "class-secret" }, link, element("p", { class: "quiet", text: SECRET })),
    element("p", { class: "quiet class-kept", text: KEPT })
  );
  addressForOthers().then(({ base, warning: text }) => {
    write(address, base.replace(/^https?:\/\//, "").replace(/\/$/, ""));
    write(warning, text);
    drawQr(qr, joinLink(base, room.code));
  });
  return { root, size };
}

/**
 * @param {Room} room
 * @param {HTMLElement} button
 */
async function copyTeacherLink(room, button) {
  const link = `${window.location.origin}${window.location.pathname}#teacher=${room.code.toLowerCase()}.${room.token}`;
  if (await copy(link)) {
    write(button, "Copied");
    window.setTimeout(() => write(button, "Copy my teacher link"), 2000);
    return;
  }
  const field = linkField("Teacher link", link);
  openDialog("Copy this link", field, element("p", { text: SECRET }));
  field.select();
}
