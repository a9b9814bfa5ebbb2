// Start over: the opening state, as the next visitor should find it.

import { byId } from "../core/dom.js";
import { choosePixel, view } from "../core/store.js";
import { takeFreshBrush } from "./painting.js";
import { finish } from "./playback.js";
import { changeWithNotice } from "./undo.js";

export function startStartOver() {
  byId("start-over").addEventListener("click", () => {
    finish();
    choosePixel(null);
    takeFreshBrush();
    const { lesson, lesson_step, hide } = view.state; // a class goes on with what its link says
    changeWithNotice({ ...view.config.defaults, lesson, lesson_step, hide }, "Everything is as it was at the start.");
  });
}
