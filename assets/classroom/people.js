// For the teacher: who is in the room, by alias; each can be muted here, also before a picture came.

import { openDialog } from "../core/dialog.js";
import { element, smallButton } from "../core/dom.js";
import { partsOf, soon } from "./parts.js";
import { isMuted, mute } from "./tile_menu.js";

/** @import { Room } from "./room.js" */

/** @param {Room} room */
export function showPeople(room) {
  const list = element("ul", { class: "class-people" });
  const about = element("p", { class: "quiet" });
  const stops = ["student/", "picture/"].map((prefix) => room.on(prefix, soon(draw)));
  stops.push(room.on("over", () => dialog.close()));

  function draw() {
    const sent = new Map();
    partsOf(room, "picture/").forEach(([, { alias }]) => sent.set(alias, (sent.get(alias) ?? 0) + 1));
    const aliases = partsOf(room, "student/").map(([alias]) => alias);
    const held = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset.alias;
    about.textContent = aliases.length ? "All who joined and have not left, also those whose page is closed now. Who is muted sends no pictures." : "Nobody has joined yet.";
    list.replaceChildren(...aliases.sort().map((alias) => person(alias, sent.get(alias) ?? 0)));
    if (held) /** @type {HTMLElement | null} */ (list.querySelector(`[data-alias="${CSS.escape(held)}"]`))?.focus();
  }

  /**
   * @param {string} alias
   * @param {number} count pictures on the wall
   */
  function person(alias, count) {
    const muted = isMuted(room, alias);
    const button = smallButton(muted ? "Unmute" : "Mute", () => mute(room, alias));
    button.dataset.alias = alias;
    button.setAttribute("aria-label", `${muted ? "Unmute" : "Mute"} ${alias}`);
    return element("li", {}, element("b", { translate: "no", text: alias }), element("span", { class: "quiet", text: `${count === 1 ? "1 picture" : `${count} pictures`}${muted ? ", muted" : ""}` }), button);
  }

  const dialog = openDialog("Students", about, list);
  dialog.classList.add("class-dialog");
  dialog.addEventListener("close", () => stops.forEach((stop) => stop()));
  draw();
}
