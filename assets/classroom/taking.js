// Takes over what somebody leads: state, picture while a stroke lasts, answer, playhead. Nothing is asked for it.

import { debounced } from "../core/dom.js";
import { on } from "../core/events.js";
import { askNow, commitLooks, follow, update } from "../core/session.js";
import { choosePixel, view } from "../core/store.js";
import { maps } from "../draw/map.js";
import { takePlayhead } from "../panels/playback.js";

/** @import { Room } from "./room.js" */

const ANSWER_WITHIN = 2000; // ms after which the page asks for the numbers itself
const ADDRESS_AFTER = 1000; // ms: browsers refuse too many changes of the address

const showAddress = debounced(commitLooks, ADDRESS_AFTER);

/** @param {Room} room */
export function taker(room) {
  let taking = false;
  let lead = 0; // n of what was taken over last
  let paint = 0;
  let look = 0;
  let answered = true; // the numbers of that state are there
  let waiting = 0;
  let shown = view.state; // as the room had it

  on("answer", () => {
    if (taking || answered || view.asked !== view.state) return;
    answered = true; // the page asked itself
    take();
  });

  /** Take over what is new. */
  function take() {
    taking = true;
    try {
      takeParts();
      shown = view.state;
    } finally {
      taking = false;
    }
  }

  function takeParts() {
    const { parts } = room;
    const led = parts.get("lead");
    if (!led) return;
    const own = parts.get("answer");
    const answer = own && (own.n === led.n || own.n === led.answered) ? { ...own.answer } : null;
    if (led.n !== lead) {
      lead = led.n;
      takeState(led.state, answer);
    } else if (answer && !answered) takeState(led.state, answer);
    const painted = parts.get("paint");
    if (painted?.n > led.n && painted.n !== paint) {
      paint = painted.n;
      update({ pixels: painted.pixels });
    }
    const looked = parts.get("look");
    if (looked && looked.n >= led.n && looked.n !== look && answered) {
      look = looked.n;
      takeLook(looked);
    }
  }

  /**
   * @param {any} state
   * @param {any} answer
   */
  function takeState(state, answer) {
    clearTimeout(waiting);
    follow({ ...view.config.defaults, ...state }, answer);
    answered = Boolean(answer);
    if (!answer) waiting = window.setTimeout(() => answered || askNow(), ANSWER_WITHIN);
    showAddress();
  }

  return {
    take,
    isTaking: () => taking,
    /** Everything is taken over anew. */
    again() {
      lead = paint = look = 0;
      take();
    },
    /** The visitor goes on alone. */
    stop() {
      clearTimeout(waiting);
      answered = true;
    },
    /** The state as the room had it. */
    shown: () => shown,
    /** Whether this page shows the numbers of what is led. */
    isShown: () => answered && lead > 0 && lead === room.parts.get("lead")?.n,
    newest: () => Math.max(0, ...["lead", "paint", "look"].map((name) => room.parts.get(name)?.n ?? 0)),
  };
}

/** @param {any} look */
function takeLook(look) {
  takePlayhead(look);
  choosePixel(look.pixel);
  maps.forEach((map) => {
    if (!map.magnifier || !map.root.checkVisibility() || (map.magnified !== 1) === Boolean(look.magnified)) return;
    map.magnify(Boolean(look.magnified));
    map.onmagnify();
  });
}
