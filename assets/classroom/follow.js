// A student follows the teacher: the page shows what the teacher's does, until the student does something else.

import { debounced } from "../core/dom.js";
import { on } from "../core/events.js";
import { sameValue } from "../core/link.js";
import { view } from "../core/store.js";
import { remember } from "../panels/undo.js";
import { coverScreen, holdScreen } from "./screens.js";
import { takeShared } from "./sharing.js";
import { taker } from "./taking.js";

/** @import { State } from "../types.js" */
/** @import { Room } from "./room.js" */

const LOOKS = ["tab", "lab", "lab_settings", "lesson", "lesson_step", "hide"];

/**
 * @param {Room} room
 * @param {boolean} following
 */
export function startFollowing(room, following) {
  const taken = taker(room);
  let over = false;
  const mode = () => room.parts.get("screens")?.mode ?? "free";

  /** @param {boolean} now */
  function set(now) {
    room.following = now;
    room.keep({ away: !now });
    room.tell("following", now);
  }

  room.letGo = () => {
    if (!room.following || mode() !== "free") return;
    taken.stop();
    set(false);
  };

  room.comeBack = () => {
    if (room.following || over) return;
    window.dispatchEvent(new Event("blur")); // a stroke that is going on ends
    rememberOwn();
    set(true);
    taken.again();
  };

  const takeBack = debounced(() => over || taken.again(), 0);

  /** Something changed on this page, by the student. */
  function own() {
    if (!room.following || taken.isTaking() || over || !room.parts.get("lead")) return;
    if (mode() === "free") room.letGo();
    else takeBack();
  }

  const ends = [
    on("state", (patch) => {
      const shown = taken.shown();
      const keys = /** @type {(keyof State)[]} */ (Object.keys(patch));
      if (keys.some((key) => !sameValue(view.state[key], shown[key]))) own();
    }),
    on("playhead", own),
  ];
  room.on("message", () => {
    const held = mode();
    holdScreen(held === "hold", () => room.tell("nudge"));
    coverScreen(held === "clear");
    if (held !== "free") room.comeBack();
    if (room.following) taken.take();
  });
  room.on("over", () => {
    over = true;
    taken.stop();
    ends.forEach((end) => end());
    holdScreen(false);
    coverScreen(false);
  });
  takeShared(room, taken.isShown);
  if (following) rememberOwn();
  set(following);
  if (room.parts.size) room.tell("message");
}

/** What the student had is one Undo away. */
function rememberOwn() {
  const looks = [...LOOKS, ...view.config.looks];
  const kept = Object.fromEntries(Object.entries(view.state).filter(([key]) => !looks.includes(key)));
  const before = /** @type {State} */ (kept);
  if (sameValue(before.pixels, view.config.defaults.pixels)) return;
  window.setTimeout(() => remember(before)); // when the teacher's state is there
}
