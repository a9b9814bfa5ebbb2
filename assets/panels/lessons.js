// The button Lessons, and what a link hides. The lessons themselves are fetched when the first one is opened.

import { byId, smallButton } from "../core/dom.js";
import { on } from "../core/events.js";
import { notice } from "../core/notices.js";
import { hasAnswer, view } from "../core/store.js";

let wanted = false; // a lesson was opened
let failed = () => {}; // takes the last notice away

export function startLessons() {
  byId("lessons").addEventListener("click", () => withLessons((script) => script.openList()));
  on("state", (patch) => {
    if ("hide" in patch) document.body.dataset.hide = view.state.hide.join(" ");
    if ("lesson" in patch || "lesson_step" in patch) follow();
  });
  on("answer", () => follow(!shown));
}

let shown = false;

/** @param {boolean} [needed] */
function follow(needed = true) {
  if (!needed || !hasAnswer() || !(wanted || view.state.lesson)) return;
  shown = wanted = true;
  withLessons((script) => script.show());
}

/** @param {(script: typeof import("../lessons/lessons.js")) => void} use */
async function withLessons(use) {
  failed();
  try {
    const script = await import("../lessons/lessons.js");
    await script.ready();
    use(script);
  } catch (failure) {
    window.reportError(failure);
    failed = notice("The lessons did not come.", { button: smallButton("Try again", () => withLessons(use)) });
  }
}
