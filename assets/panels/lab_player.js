// A slider with a button that plays it, for a setting that only chooses what is shown of an answer: playing asks nothing.

import { element, write } from "../core/dom.js";
import { view } from "../core/store.js";
import { labControl, nearestStop } from "./lab_controls.js";

/** @import { LabHost } from "../types.js" */

const LONGEST_FRAME = 500; // ms: after more than this nobody was looking, and the time does not count

/**
 * @param {LabHost} lab
 * @param {string} name of the setting
 * @param {{ stops: number[], rate: (place: number) => number, text: (value: number) => string }} how `stops`: its values in order;
 * `rate`: stops a second, at a place among them
 */
export function labPlayer(lab, name, { stops, rate, text }) {
  const end = stops.length - 1;
  let playing = false;
  let position = 0; // a place as a real number, so that all rates work on all screens
  /** @type {number | null} */
  let last = null;
  const icon = element("span", { class: "icon icon-play", "aria-hidden": "true" });
  const word = element("span", { text: "Play" });
  const button = element("button", { type: "button", class: "tool primary", onclick: () => setPlaying(!playing) }, icon, word);
  const slider = labControl(lab, name, { stops, text });
  slider.addEventListener("input", () => setPlaying(false));

  const place = () => nearestStop(stops, lab.value(name));
  const isOpen = () => view.state.tab === "labs" && view.state.lab === lab.name;

  /** @param {boolean} on */
  function setPlaying(on) {
    if (on === playing) return;
    playing = on;
    icon.className = `icon icon-${on ? "pause" : "play"}`;
    write(word, on ? "Pause" : "Play");
    if (!on) return lab.set({ [name]: stops[place()] }); // the link says where it stopped
    position = place() === end ? 0 : place();
    last = null;
    move();
    window.requestAnimationFrame(frame);
  }

  function move() {
    const to = Math.min(end, Math.floor(position));
    if (to !== place()) lab.set({ [name]: stops[to] }, false);
  }

  /** @param {number} now in ms */
  function frame(now) {
    if (!playing) return;
    if (!isOpen()) return setPlaying(false);
    const passed = last === null ? 0 : now - last;
    if (passed <= LONGEST_FRAME) position += (passed / 1000) * rate(Math.floor(position));
    last = now;
    move();
    if (place() === end) return setPlaying(false);
    window.requestAnimationFrame(frame);
  }
  return element("div", { class: "lab-player" }, button, slider);
}
