// For the teacher: the class's marks beside the true map of the same picture, and how far they agree.

import { element, write } from "../core/dom.js";
import { sameValue } from "../core/link.js";
import { largest } from "../core/numbers.js";
import { askServer } from "../core/server.js";
import { hasAnswer, view } from "../core/store.js";
import { PixelMap } from "../draw/map.js";
import { strongest } from "../lessons/marks.js";
import { heatMap } from "./heat.js";
import { agreement, mostMarked } from "./tallies.js";

/** @import { State } from "../types.js" */
/** @import { Asked } from "./questions.js" */

const WITHIN = 10000; // ms for the map of a picture that is no longer on the page

/**
 * The map of the picture that was asked about: of the page, or of the server when the page has moved on.
 * @param {Asked} asked
 * @returns {Promise<{ values: number[], target: number }>} target: the class that it explains
 */
async function mapOf({ state, method }) {
  const keys = /** @type {(keyof State)[]} */ (Object.keys(state));
  const same = hasAnswer() && keys.every((key) => view.config.looks.includes(key) || sameValue(state[key], view.asked[key]));
  const answer = same ? view.answer : await askServer("explanation", "state", /** @type {any} */ ({ ask: 1, state }), AbortSignal.timeout(WITHIN));
  return { values: answer.methods[method].map, target: answer.target };
}

/**
 * @param {Asked} asked
 * @param {number} most pixels that each may mark
 */
export function marksBesideMap(asked, most) {
  const { title } = view.config.methods[asked.method];
  const heat = heatMap();
  const caption = element("figcaption", { text: title });
  const host = element("div", { class: "beside-map" });
  const said = element("p", { class: "class-agreement", role: "status" });
  /** @type {PixelMap | null} */
  let map = null;
  let gone = false;
  /** @type {number[]} */
  let top = [];
  /** @type {number[]} */
  let counts = [];
  const show = () => write(said, agreement(mostMarked(counts, most), top));
  const fetchMap = () =>
    mapOf(asked).then(
      ({ values, target }) => {
        if (gone) return; // a map that is made now would never be removed
        write(caption, `${title} for “${view.config.networks[asked.state.network].classes[target]}”`);
        map = new PixelMap(host, { name: asked.method, title, kind: "signed", bare: true });
        map.set(values, largest(values));
        top = strongest(values, most);
        show();
      },
      () => host.append(element("p", { class: "quiet", text: "The map of this picture did not come." }))
    );
  fetchMap();
  return {
    root: element("div", { class: "marks-beside" }, said, element("div", { class: "marks-and-map" }, element("figure", {}, element("figcaption", { text: "Marks of the class, in %" }), heat.root), element("figure", {}, caption, host))),
    set: (/** @type {number[]} */ given, /** @type {number} */ people) => {
      counts = given;
      heat.set(given, people);
      show();
    },
    remove: () => {
      gone = true;
      heat.remove();
      map?.remove();
    },
  };
}
