// What a teacher does with a picture of the wall: one menu for all tiles, and what each action sends.

import { element, say } from "../core/dom.js";
import { notice } from "../core/notices.js";

/** @import { Picture } from "./pictures.js" */
/** @import { Room } from "./room.js" */
/** @import { Tile } from "./tile.js" */

/** @typedef {{ text: string, act: () => unknown, sure?: string }} Item `sure`: what it says before a second press does it */

const EDGE = 8; // px to the window's edge

/**
 * @param {Room} room
 * @param {string} name
 * @param {Record<string, any>} body
 * @param {string} done what is said then
 */
async function send(room, name, body, done) {
  try {
    await room.act(name, body);
    say(done);
  } catch (failure) {
    notice(failure instanceof Error && failure.message ? failure.message : "The server could not be reached. Please try again.");
  }
}

/**
 * @param {Room} room
 * @param {Picture} picture
 */
export function publish(room, { id, published, hidden }) {
  if (hidden) return say("Show it again first.");
  send(room, "publish", { id, on: !published }, published ? "No longer published." : "Published.");
}

/**
 * @param {Room} room
 * @param {Picture} picture
 */
export const hide = (room, { id, hidden }) => void send(room, "hide", { id, on: !hidden }, hidden ? "Shown again." : "Hidden.");

/**
 * @param {Room} room
 * @param {Picture} picture
 */
export const remove = (room, { id }) => void send(room, "remove", { id }, "Removed.");

/**
 * @param {Room} room
 * @param {string} alias
 */
export const isMuted = (room, alias) => Boolean(room.parts.get(`student/${alias}`)?.muted);

/**
 * @param {Room} room
 * @param {string} alias
 */
export function mute(room, alias) {
  const on = !isMuted(room, alias);
  send(room, "mute", { alias, on }, on ? `${alias} is muted.` : `${alias} can send again.`);
}

export class TileMenu {
  /** @type {Tile | null} */
  tile = null;

  /**
   * @param {Room} room
   * @param {{ open: (tile: Tile) => void, pick: (tile: Tile) => void }} wall
   */
  constructor(room, wall) {
    this.room = room;
    this.wall = wall;
    this.root = element("div", { class: "wall-menu", popover: "auto", role: "menu", "aria-label": "Actions" });
    this.root.addEventListener("toggle", (event) => /** @type {ToggleEvent} */ (event).newState === "closed" && this.#closed());
    this.root.addEventListener("keydown", (event) => this.#key(event));
    document.addEventListener("scroll", () => this.close(), { capture: true, passive: true });
  }

  /** @param {Tile} tile */
  #items(tile) {
    const { picture } = tile;
    const { room, wall } = this;
    const muted = isMuted(room, picture.alias);
    /** @type {Item[]} */
    const items = [{ text: "Open, for all who follow", act: () => wall.open(tile) }];
    if (!picture.hidden) items.push({ text: picture.published ? "Take back from the class" : "Publish to the class", act: () => publish(room, picture) });
    items.push(
      { text: tile.pick?.checked ? "Do not compare" : "Select to compare", act: () => wall.pick(tile) },
      { text: picture.hidden ? "Show again" : "Hide", act: () => hide(room, picture) },
      { text: "Remove for good", sure: "Press again to remove it", act: () => remove(room, picture) }
    );
    if (room.parts.get(`student/${picture.alias}`)) items.push({ text: `${muted ? "Unmute" : "Mute"} ${picture.alias}`, act: () => mute(room, picture.alias) });
    return items;
  }

  /** @param {Tile} tile */
  show(tile) {
    if (this.tile === tile) return this.close();
    this.tile = tile;
    this.root.replaceChildren(...this.#items(tile).map((item) => this.#button(item)));
    tile.menu?.setAttribute("aria-expanded", "true");
    const { left, right, top, bottom } = /** @type {HTMLElement} */ (tile.menu).getBoundingClientRect();
    this.root.showPopover();
    const { width, height } = this.root.getBoundingClientRect();
    const below = bottom + 4 + height <= window.innerHeight - EDGE;
    this.root.style.left = `${Math.max(EDGE, Math.min(right - width, left, window.innerWidth - width - EDGE))}px`;
    this.root.style.top = `${below ? bottom + 4 : Math.max(EDGE, top - height - 4)}px`;
    /** @type {HTMLElement} */ (this.root.firstElementChild).focus({ preventScroll: true });
  }

  /** @param {Item} item */
  #button({ text, act, sure }) {
    let asked = !sure;
    const button = element("button", {
      type: "button",
      role: "menuitem",
      tabindex: "-1",
      text,
      onclick: () => {
        if (!asked && sure) {
          asked = true;
          button.textContent = sure;
          return;
        }
        this.close();
        act();
      },
    });
    return button;
  }

  close() {
    if (this.tile) this.root.hidePopover();
  }

  #closed() {
    const { tile } = this;
    this.tile = null;
    tile?.menu?.setAttribute("aria-expanded", "false");
    const lost = document.activeElement === document.body || this.root.contains(document.activeElement);
    if (lost) (tile?.menu ?? null)?.focus({ preventScroll: true });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    event.stopPropagation(); // no key of the page
    const all = /** @type {HTMLElement[]} */ ([...this.root.children]);
    const i = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const to = /** @type {Record<string, number>} */ ({ ArrowDown: (i + 1) % all.length, ArrowUp: (i + all.length - 1) % all.length, Home: 0, End: all.length - 1 })[event.key];
    if (event.key === "Escape" || event.key === "Tab") this.close();
    else if (to !== undefined) all[to].focus();
    else return;
    event.preventDefault();
  }
}
