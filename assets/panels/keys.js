// The keys of the page, told on `?` and by a button.

import { openDialog } from "../core/dialog.js";
import { byId, element, isTyping, keyOf } from "../core/dom.js";

/** Keys between bars are drawn as such. @type {[string, [string, string][]][]} */
const KEYS = [
  [
    "On the page",
    [
      ["|Space|", "play or pause"],
      ["|←| |→|", "a step back or forward"],
      ["|Home| |End|", "to the first or the last step"],
      ["|Ctrl| |Z|", "undo"],
      ["|Ctrl| |Y|", "redo; |Ctrl| |Shift| |Z|, too"],
      ["|Esc|", "unmark the pixel, close a window"],
      ["|?|", "show these keys"],
    ],
  ],
  [
    "In the painting grid",
    [
      ["|←| |→| |↑| |↓|", "move"],
      ["|Home| |End|", "to the start or the end of the row; with |Ctrl|, of the grid"],
      ["|Page ↑| |Page ↓|", "to the top or the bottom of the column"],
      ["|Space| |Enter|", "paint with the brush"],
      ["|0| … |9|", "paint 0.0 to 0.9"],
      ["|Delete| |⌫|", "erase"],
    ],
  ],
  [
    "In a map",
    [
      ["|←| |→| |↑| |↓|", "move the marked pixel"],
      ["|Home| |End|", "to the start or the end of the row"],
      ["|Enter|", "on a small map: show it large"],
    ],
  ],
  [
    "On the tabs",
    [
      ["|←| |→|", "the next tab"],
      ["|Home| |End|", "the first or the last tab"],
    ],
  ],
];

export function startKeys() {
  byId("keys").addEventListener("click", showKeys);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || keyOf(event) !== "?") return;
    if (isTyping(/** @type {Element} */ (event.target)) || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    showKeys();
  });
}

function showKeys() {
  const parts = KEYS.map(([place, lines]) => {
    const cells = lines.flatMap(([keys, action]) => [element("dt", {}, ...drawn(keys)), element("dd", {}, ...drawn(action))]);
    return element("section", {}, element("h3", { text: place }), element("dl", {}, ...cells));
  });
  openDialog("Keys", element("div", { class: "keys" }, ...parts), element("p", { class: "quiet", text: "On a Mac, ⌘ does what Ctrl does." }));
}

/** @param {string} text */
const drawn = (text) => text.split("|").map((part, i) => (i % 2 ? element("kbd", { text: part, translate: "no" }) : part));
