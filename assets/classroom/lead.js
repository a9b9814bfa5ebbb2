// The teacher's page leads: what changes on it goes up, at most ten times a second, one at a time, the newest only.

import { Refused } from "../core/errors.js";
import { on } from "../core/events.js";
import { sameValue } from "../core/link.js";
import { pauseAfter, rest } from "../core/retry.js";
import { isAsking } from "../core/session.js";
import { markedPixel, view } from "../core/store.js";
import { maps } from "../draw/map.js";
import { isPainting } from "../panels/painting.js";
import { playhead } from "../panels/playback.js";
import { startSharing } from "./sharing.js";
import { taker } from "./taking.js";

/** @import { Pixels, State } from "../types.js" */
/** @import { Room } from "./room.js" */

const EVERY = 100; // ms
const END = 1e9; // a step beyond all: the finished map, however many steps its answer has

/** @param {Room} room */
export function startLeading(room) {
  const taken = taker(room);
  let n = 0; // of what was sent or taken over last
  let led = 0; // of the state among these
  /** @type {State | null} */
  let state = null; // as the room knows it
  /** @type {Pixels | null} */
  let pixels = null;
  let look = "";
  let timer = 0;
  let flying = false;
  let last = -EVERY;
  let over = false;
  let { opened } = room;

  function lookNow() {
    const { step, count, playing, speed, loop } = playhead();
    const atEnd = step >= count || (isAsking() && view.asked !== view.state); // a new path is shown finished
    const magnified = maps.some((map) => map.magnified !== 1 && map.root.checkVisibility());
    return { step: atEnd && !playing ? END : step, count, playing, speed, loop, pixel: markedPixel(), magnified };
  }

  /**
   * What makes one look another: while it plays, each page plays by itself.
   * @param {ReturnType<typeof lookNow>} now
   */
  const nameOf = ({ step, count: _, playing, ...others }) => JSON.stringify([playing ? "plays" : step, others]);

  function news() {
    const now = lookNow();
    if (isPainting()) return view.state.pixels === pixels ? null : { pixels: view.state.pixels };
    if (!state || !sameValue(state, view.state)) return { state: view.state, look: now };
    return nameOf(now) === look ? null : { look: now };
  }

  function soon() {
    if (flying || timer || over || taken.isTaking()) return;
    timer = window.setTimeout(send, Math.max(0, last + EVERY - performance.now()));
  }

  async function send() {
    timer = 0;
    let body = news();
    if (!body || over) return;
    flying = true;
    last = performance.now();
    let isTaken = true;
    for (let failures = 0; ; failures++) {
      n = Math.max(n, taken.newest()) + 1;
      try {
        isTaken = (await room.sendOnce("lead", { n, ...body })).taken;
        break;
      } catch (failure) {
        if (over) return;
        if (failure instanceof Refused) break; // it would be refused again
        await rest(pauseAfter(/** @type {Error} */ (failure), failures), /** @type {Error} */ (failure));
        body = news() ?? body; // the newest, once the room is there again
      }
    }
    if (isTaken) note(body);
    else n -= 1; // another device was quicker: what it led is shown here, too
    flying = false;
    hear();
    soon();
  }

  /** @param {{ state?: State, pixels?: Pixels, look?: ReturnType<typeof lookNow> }} body */
  function note(body) {
    state = body.state ?? state;
    pixels = body.pixels ?? pixels;
    look = body.look ? nameOf(body.look) : look;
    if (body.state) led = n;
    if (body.pixels) state = null; // the end of the stroke is told
  }

  /** Another device of the teacher's led, or this one did before a reload; but a link that was opened is led. */
  function hear() {
    const newest = taken.newest();
    if (newest <= n || flying || isPainting()) return;
    n = newest;
    if (!opened && room.parts.get("lead")) { // no state is there while the other device paints its first stroke
      taken.take();
      state = view.state;
      led = room.parts.get("lead").n;
      look = nameOf(lookNow());
    }
    opened = false;
  }

  const ends = [on("state", soon), on("step", soon), on("pixel", soon), on("playhead", soon), on("painted", soon), on("answer", soon)];
  document.addEventListener("click", soon); // magnifies
  startSharing(room, () => (state && sameValue(state, view.state) ? led : 0));
  room.on("message", () => {
    hear();
    soon(); // the first time, for whoever comes
  });
  room.on("over", () => {
    over = true;
    taken.stop();
    ends.forEach((end) => end());
    document.removeEventListener("click", soon);
  });
  if (room.parts.size) room.tell("message");
}
