// Asking the class: questions, steps of lessons, challenges. What a room starts, and the buttons of its teacher.

import { element } from "../core/dom.js";
import { laterStyle } from "../core/later_style.js";
import { startAnswering } from "./answering.js";
import { startAskClass } from "./ask_class.js";
import { startContests, startLeadingContests } from "./contests.js";
import { startProgress, startReporting } from "./progress.js";

/** @import { Room } from "./parts.js" */

/** @type {WeakMap<Room, (() => HTMLElement)[]>} */
const makers = new WeakMap(); // of a teacher's buttons

/** @param {Room} room */
export async function start(room) {
  await laterStyle("asking");
  if (room.role === "teacher") return void makersOf(room);
  startReporting(room);
  startAnswering(room);
  startContests(room);
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
