// The class, over the explorer: a teacher's with code and wall, a student's with what is published. Leaving it does not leave the room.

import { byId, element } from "../core/dom.js";
import { emit, on } from "../core/events.js";
import { laterStyle } from "../core/later_style.js";
import { take } from "../core/session.js";
import { closeMenu } from "../panels/present.js";
import { invitation } from "./open.js";
import { openedState } from "./pictures.js";
import { sideBySide } from "./side_by_side.js";
import { Wall } from "./wall.js";

/** @import { Picture } from "./pictures.js" */
/** @import { Room } from "./room.js" */

/** @typedef {{ content: HTMLElement, focus: () => void, escape?: () => boolean }} Page what the view shows; `escape`: whether Esc had something to close */

const root = element("main", { id: "class-view", class: "class-view", "aria-label": "The class", hidden: true });
/** @type {Page | null} */
let page = null;
let scrolled = 0;
/** @type {Element | null} */
let opener = null;

export const isClassOpen = () => !root.hidden;

/** Show it over the explorer. */
export async function openClass() {
  await laterStyle("wall");
  if (!page || isClassOpen()) return;
  if (!root.isConnected) attach();
  scrolled = window.scrollY;
  closeMenu();
  opener = document.activeElement;
  root.hidden = false;
  document.body.classList.add("in-class");
  emit("class-view");
  window.scrollTo({ top: 0, behavior: "instant" });
  page.focus();
}

/** Back to the explorer. */
export function closeClass() {
  if (!isClassOpen()) return;
  root.hidden = true;
  document.body.classList.remove("in-class");
  emit("class-view");
  window.scrollTo({ top: scrolled, behavior: "instant" });
  const visible = opener instanceof HTMLElement && opener !== document.body && opener.checkVisibility();
  (visible ? /** @type {HTMLElement} */ (opener) : byId("tab-integrated")).focus({ preventScroll: true });
}

function attach() {
  /** @type {Element} */ (document.querySelector("main.app")).after(root);
  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape") leave(event);
    event.stopPropagation(); // the keys of the explorer are for what is seen of it
  });
  // the same where nothing has the focus, or a button of the header
  document.addEventListener(
    "keydown",
    (event) => {
      const target = /** @type {Element} */ (event.target);
      if (!isClassOpen() || !(target === document.body || target.closest(".topbar"))) return;
      if (event.key === "Escape") leave(event);
      else if (target === document.body) event.stopPropagation();
    },
    true
  );
}

/** @param {KeyboardEvent} event */
function leave(event) {
  if (document.querySelector("dialog[open]") || document.body.classList.contains("present")) return;
  event.preventDefault();
  event.stopPropagation();
  if (!page?.escape?.()) closeClass();
}

/** @param {Page} next */
function show(next) {
  page = next;
  root.replaceChildren(next.content);
}

/** The room is over: nothing of it stays on the page. */
export function endClass() {
  page?.escape?.(); // pictures side by side
  closeClass();
  page = null;
  root.replaceChildren();
}

/**
 * @param {Room} room
 * @param {HTMLElement | null} [tools] more of what a teacher does with a class
 */
export async function start(room, tools = null) {
  const open = (/** @type {Picture} */ picture) => {
    closeClass();
    room.letGo();
    take(openedState(picture));
  };
  const wall = new Wall(room, { open, compare: (pictures) => compare(pictures) });
  const pane = element("div", { class: "class-pane" }, wall.root);
  const content = element("div", { class: `class-frame ${room.role}` });
  const focus = () => wall.heading.focus({ preventScroll: true });
  /** @type {ReturnType<typeof sideBySide> | null} */
  let beside = null;
  let wallScrolled = 0;

  /** @param {Picture[]} pictures */
  function compare(pictures) {
    beside = sideBySide(pictures, { back, open });
    wall.root.hidden = true;
    content.classList.add("comparing");
    pane.append(beside.root);
    wallScrolled = window.scrollY;
    window.scrollTo({ top: 0, behavior: "instant" });
    beside.heading.focus({ preventScroll: true });
  }

  function back() {
    if (!beside) return false;
    beside.remove();
    beside = null;
    wall.root.hidden = false;
    content.classList.remove("comparing");
    window.scrollTo({ top: wallScrolled, behavior: "instant" });
    wall.compare.focus({ preventScroll: true });
    return true;
  }

  // screens that are held or cleared show the teacher's
  if (room.role === "student") room.on("screens", (_, screens) => screens && screens.mode !== "free" && closeClass());
  if (room.role === "teacher") content.append(teacherSide(room, wall, content, tools));
  else pane.prepend(element("p", { class: "class-leave" }, element("button", { type: "button", class: "button", text: "Back to the explorer", onclick: closeClass })));
  content.append(pane);
  show({ content, focus, escape: back });
}

/**
 * Code and QR: large until the first picture comes, and whenever that is wanted.
 * @param {Room} room
 * @param {Wall} wall
 * @param {HTMLElement} content
 * @param {HTMLElement | null} tools
 */
function teacherSide(room, wall, content, tools) {
  const { root: side, size } = invitation(room, { large, back: closeClass, tools });
  let chosen = false; // by the teacher
  let presented = false;
  const any = () => [...room.parts].some(([name, picture]) => name.startsWith("picture/") && picture && (!presented || picture.published));
  /** @param {boolean} large */
  function invite(large) {
    size.setAttribute("aria-pressed", String(large));
    content.classList.toggle("inviting", large);
  }
  function large(/** @type {boolean} */ wanted) {
    chosen = true;
    invite(wanted);
  }
  const follow = () => chosen || invite(!any());
  follow();
  room.on("picture/", follow);
  const end = on("present", (now) => {
    presented = now;
    wall.filterBy(now ? "published" : "all"); // what is projected is for everybody
    follow();
  });
  room.on("over", end);
  return side;
}
