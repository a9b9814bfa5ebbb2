// Asking the class: questions, steps of lessons, challenges. What a room starts, and the buttons of its teacher.

import { element, smallButton } from "../core/dom.js";
import { laterStyle } from "../core/later_style.js";
import { startAnswering } from "./answering.js";
import { startAskClass } from "./ask_class.js";
import { startContests, startLeadingContests } from "./contests.js";
import { dockPanel } from "./dock.js";
import { startProgress, startReporting } from "./progress.js";

/** @import { Room } from "./parts.js" */

/** @type {WeakMap<Room, (() => HTMLElement)[]>} */
const makers = new WeakMap(); // of a teacher's buttons

/** @param {Room} room */
export async function start(room) {
  await laterStyle("asking");
  if (room.role === "teacher") return offerTools(room);
  startReporting(room);
  startAnswering(room);
  startContests(room);
}

/**
 * The teacher's buttons, behind one in the bar: a question is asked where its lesson or lab is seen.
 * @param {Room} room
 */
function offerTools(room) {
  const panel = dockPanel("class-asking", { label: "Close", close: () => show(false) });
  const open = smallButton("Ask", () => show(open.getAttribute("aria-expanded") === "false"));
  open.classList.add("class-ask-open");
  const show = (/** @type {boolean} */ on) => {
    panel.show(on);
    open.setAttribute("aria-expanded", String(on));
    if (on) {
      panel.small(false);
      panel.focus(); // it was opened by a press
    } else if (panel.root.contains(document.activeElement)) open.focus();
  };
  panel.rename("Ask the class");
  panel.body.append(teacherTools(room));
  panel.body.addEventListener("click", ({ target }) => /** @type {Element} */ (target).closest("button") && show(false)); // what it opened has the room
  show(false);
  document.querySelector("#class-bar .class-actions")?.prepend(open);
  room.on("over", () => show(false));
}

/** @param {Room} room */
function makersOf(room) {
  const known = makers.get(room) ?? [startAskClass(room), startProgress(room), startLeadingContests(room)];
  makers.set(room, known);
  return known;
}

/**
 * What a teacher asks the class with; as often as it is wanted.
 * @param {Room} room
 */
export const teacherTools = (room) => element("div", { class: "class-tools" }, ...makersOf(room).map((make) => make()));
