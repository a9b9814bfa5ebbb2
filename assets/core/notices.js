// What the page has to say of itself: what was wrong with a link, why an answer does not come, that a newer version is here.
// Notices float, so that nothing moves under a finger that paints, and keep away from what is being used.

import { byId, element, write } from "./dom.js";

const EDGE = 10; // px between a notice and the window's edge, as in the stylesheet
// What a notice should not lie on, and how much that matters.
const IN_USE = { "#paint-grid": 1e5, "#playback": 30, "#class-bar": 100, "#class-dock": 200, "#tabs": 1, ".header-tools": 1 };

export function startNotices() {
  let placing = 0;
  const placeSoon = () => {
    if (placing) return;
    placing = window.requestAnimationFrame(() => {
      placing = 0;
      place();
    });
  };
  window.addEventListener("scroll", placeSoon, { passive: true });
  window.addEventListener("resize", placeSoon);
}

/**
 * A notice that stays until it is dismissed. Returns what takes it away.
 * @param {Node | string} content
 * @param {{ button?: Node | null, ondismiss?: (() => void) | null }} more
 */
export function notice(content, { button = null, ondismiss = null } = {}) {
  const remove = () => {
    box.remove();
    place();
  };
  const dismiss = () => {
    remove();
    ondismiss?.();
  };
  const close = element("button", { type: "button", class: "btn-close", "aria-label": "Dismiss", onclick: dismiss });
  const box = element("div", { class: "notice" }, element("div", {}, content), button, close);
  add(box);
  return remove;
}

/**
 * What was wrong with a link, all in one notice.
 * @param {string[]} texts
 */
export function noticeAll(texts) {
  if (texts.length === 1) notice(texts[0]);
  else if (texts.length) notice(element("ul", {}, ...texts.map((text) => element("li", { text }))));
}

// ---- why the newest question was refused: one notice, however many were

/** @type {{ said: HTMLElement, remove: () => void } | null} */
let refusal = null;

/**
 * Say why; with null, a later question was answered.
 * @param {string | null} text
 */
export function showRefusal(text) {
  if (!text) {
    refusal?.remove();
    refusal = null;
  } else if (refusal) {
    write(refusal.said, text);
    place();
  } else {
    const said = element("span", { text });
    refusal = { said, remove: notice(said, { ondismiss: () => (refusal = null) }) };
  }
}

// ---- why an answer does not come: one notice, whatever waits

/** @type {Map<string, string>} */
const troubles = new Map(); // by what waits

/**
 * Say why `who` has no answer; with null, it waits no more.
 * @param {string} who
 * @param {string | null} text
 */
export function showTrouble(who, text) {
  if (text) troubles.set(who, text);
  else troubles.delete(who);
  const [newest] = [...troubles.values()].slice(-1);
  const shown = byId("away");
  if (!newest) shown?.remove();
  else if (shown) write(/** @type {Element} */ (shown.firstElementChild), newest);
  else add(element("div", { id: "away", class: "notice away" }, element("span", { text: newest })));
  place();
}

// ---- where they are

/** @param {HTMLElement} box */
function add(box) {
  byId("notices").append(box);
  place();
}

/** At the top or at the bottom of the window, where they hide less of what is in use. */
function place() {
  const host = byId("notices");
  if (!host.childElementCount) return;
  const { left, right, height } = host.getBoundingClientRect();
  const player = document.querySelector(".player")?.getBoundingClientRect();
  const floor = player?.height && player.bottom >= window.innerHeight - 1 ? player.top : window.innerHeight; // on phones it stands at the bottom
  host.style.setProperty("--floor", `${window.innerHeight - floor}px`);
  const at = (/** @type {number} */ top) => hidden({ left, right, top, bottom: top + height });
  const [above, below] = [at(EDGE), at(floor - EDGE - height)];
  if (above !== below) host.classList.toggle("below", below < above); // else it stays where it is
}

/** @param {{ left: number, right: number, top: number, bottom: number }} box */
function hidden(box) {
  return Object.entries(IN_USE).reduce((sum, [selector, weight]) => {
    const used = document.querySelector(selector)?.getBoundingClientRect();
    if (!used) return sum;
    const width = Math.min(box.right, used.right) - Math.max(box.left, used.left);
    const height = Math.min(box.bottom, used.bottom) - Math.max(box.top, used.top);
    return sum + weight * Math.max(0, width) * Math.max(0, height);
  }, 0);
}
