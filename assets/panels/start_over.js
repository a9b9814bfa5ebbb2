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
    changeWithNotice(view.config.defaults, "Everything is as it was at the start.");
  });
}
