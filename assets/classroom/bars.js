// The answers of the class as bars: each with its letter, its words, its number and its share.

import { element, write } from "../core/dom.js";
import { percent } from "./tallies.js";

export const LETTERS = "ABCDEFGHIJ";

/**
 * @param {string[]} choices
 * @returns {{ root: HTMLElement, set: (totals: number[], own: number | null) => void }}
 */
export function choiceBars(choices) {
  const lines = choices.map((text, i) => {
    const fill = element("i");
    const number = element("b", { class: "class-bar-number" });
    const yours = element("span", { class: "class-bar-yours", text: "your answer", hidden: true });
    const words = element("span", { class: "class-bar-words" }, element("b", { class: "class-bar-letter", text: LETTERS[i] }), element("span", { text }), yours);
    return { fill, number, yours, root: element("li", {}, words, element("span", { class: "class-bar-track", "aria-hidden": "true" }, fill), number) };
  });
  const root = element("ol", { class: "class-bars" }, ...lines.map((line) => line.root));
  return {
    root,
    set: (totals, own) => {
      const all = totals.reduce((sum, count) => sum + count, 0);
      lines.forEach(({ fill, number, yours }, i) => {
        const count = totals[i] ?? 0;
        fill.style.width = `${all ? (100 * count) / all : 0}%`;
        write(number, `${count} (${percent(count, all)})`);
        yours.hidden = own !== i;
      });
    },
  };
}
