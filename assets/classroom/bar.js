// One thin bar below the header: how this page stands to the class, and what one can do in it.

import { openDialog } from "../core/dialog.js";
import { element, smallButton, write } from "../core/dom.js";
import { on } from "../core/events.js";
import { notice } from "../core/notices.js";
import { view } from "../core/store.js";
import { closeMenu } from "../panels/present.js";
import { focusBar } from "./dock.js";
import { showPeople } from "./people.js";
import { keepKeys } from "./screens.js";
import { isClassOpen, openClass } from "./view.js";

/** @import { Quality } from "./connection.js" */
/** @import { Room } from "./room.js" */

/** @type {Record<Quality, string>} */
const QUALITY = { live: "live", polling: "every 2 seconds", reconnecting: "reconnecting…", away: "the room’s store is away" };
const HERE_FOR = 25; // seconds for which a worker's count holds; each counts every 10 s (explorer/classroom/hub.py)
const NUDGE = 700; // ms
const READ = 9000; // ms after which a notice of what was sent goes by itself: it lies on the page

/** @param {Room} room */
export function startBar(room) {
  const name = element("b", { translate: "no" });
  const status = element("span", { class: "class-status", role: "status" });
  const count = element("button", { type: "button", class: "class-count", title: "Who is in the room", hidden: room.role === "student", onclick: () => showPeople(room) });
  const quality = element("span", { class: "class-quality", title: "The connection to the room" });
  const actions = element("span", { class: "class-actions" });
  const bar = element("aside", { id: "class-bar", class: "class-bar", "aria-label": "Class", tabindex: "-1" }, name, count, status, actions, quality);
  /** @type {Element} */ (document.querySelector("header.topbar")).after(bar);
  closeMenu();
  const mode = () => room.parts.get("screens")?.mode ?? "free";
  const show = room.role === "teacher" ? teacherBar(room, { name, count, status, actions, mode }) : studentBar(room, { name, status, actions, mode });
  const draw = () => {
    bar.dataset.quality = room.quality;
    write(quality, QUALITY[room.quality]);
    show();
  };
  for (const heard of ["message", "quality", "following"]) room.on(heard, draw);
  room.on("nudge", () => {
    bar.classList.add("nudge");
    window.setTimeout(() => bar.classList.remove("nudge"), NUDGE);
  });
  bar.addEventListener("keydown", keepKeys);
  const end = on("class-view", draw); // the class's pictures, or the explorer
  room.on("over", () => {
    end();
    bar.remove();
  });
  draw();
}

/**
 * @typedef {{ name: HTMLElement, status: HTMLElement, actions: HTMLElement, mode: () => string }} Parts
 */

/**
 * @param {Room} room
 * @param {Parts} parts
 */
function studentBar(room, { name, status, actions, mode }) {
  const back = smallButton("Follow the teacher", () => {
    room.comeBack();
    focusBar(); // the button is gone, and Enter pressed twice must send nothing
  });
  back.classList.add("class-follow");
  const send = smallButton("Send my picture", () => sendPicture(room, send));
  const leave = smallButton("Leave", () => ask("Leave the class?", "Your pictures stay on the wall. To come back you need the code.", "Leave", () => leaveRoom(room)));
  const gallery = smallButton("The class", () => openClass()); // what is published
  actions.append(back, send, gallery, leave);
  room.on("poll", () => clearSent()); // it would lie on the question
  return () => {
    const published = [...room.parts].filter(([part, picture]) => part.startsWith("shown/") && picture).length;
    gallery.hidden = !published || mode() !== "free";
    write(gallery, `The class (${published})`);
    write(name, room.alias ?? "");
    const held = mode() === "hold";
    back.hidden = room.following;
    write(status, held ? "Your teacher holds the screens." : isClassOpen() ? "You look at the pictures of the class." : !room.following ? "You look on your own." : room.parts.get("lead") ? "Following your teacher." : "Your teacher is on the way.");
  };
}

/** @type {() => void} */
let clearSent = () => {};

/**
 * What became of the picture that was sent last; the one before is no longer said.
 * @param {string} text
 */
function saySent(text) {
  clearSent();
  clearSent = notice(text);
}

/** @param {Room} room */
async function leaveRoom(room) {
  await room.act("leave").catch(() => {}); // the room has ended, and the page has said so
  room.forget();
}

/**
 * @param {Room} room
 * @param {HTMLElement} button
 */
async function sendPicture(room, button) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  const letters = crypto.getRandomValues(new Uint8Array(12));
  const id = Array.from(letters, (value) => "abcdefghijklmnopqrstuvwxyz234567"[value % 32]).join(""); // sent again, it is still one picture
  try {
    const { class: seen, score } = await room.act("send", { id, state: view.state });
    saySent(`Your picture is sent. Only your teacher sees it. The network sees “${seen}”, P = ${score.toFixed(3)}.`);
    window.setTimeout(clearSent, READ);
  } catch (failure) {
    saySent(`Not sent. ${/** @type {Error} */ (failure).message}`);
  }
  button.removeAttribute("aria-disabled");
}

/**
 * @param {Room} room
 * @param {Parts & { count: HTMLElement }} parts
 */
function teacherBar(room, { name, count, status, actions, mode }) {
  write(name, room.code);
  const set = (/** @type {string} */ wanted) => act(room, "screens", { mode: wanted });
  const toggle = (/** @type {string} */ wanted) => set(mode() === wanted ? "free" : wanted);
  const hold = smallButton("Hold", () => toggle("hold"));
  const clear = smallButton("Clear screens", () => toggle("clear"));
  const release = smallButton("Release", () => {
    set("free");
    hold.focus();
  });
  const end = smallButton("End class", () => ask("End the class?", "All that the room keeps is erased: aliases, pictures, answers and scores.", "End class", () => act(room, "end")));
  actions.append(release, hold, clear, smallButton("Wall", () => openClass()), end);
  /** @type {Record<string, string>} */
  const says = { free: "", hold: "The screens are held.", clear: "The screens are cleared." };
  return () => {
    const now = mode();
    const after = Date.now() / 1000 + room.offset - HERE_FOR;
    const here = [...room.parts].reduce((sum, [part, content]) => sum + (part.startsWith("here/") && content?.at > after ? content.count : 0), 0);
    write(count, `${here} ${here === 1 ? "student" : "students"}`);
    write(status, says[now] ?? "");
    hold.setAttribute("aria-pressed", String(now === "hold"));
    clear.setAttribute("aria-pressed", String(now === "clear"));
    release.hidden = now === "free";
  };
}

/**
 * @param {Room} room
 * @param {string} name
 * @param {Record<string, any>} [body]
 */
async function act(room, name, body) {
  try {
    await room.act(name, body);
  } catch (failure) {
    if (name !== "end") notice(/** @type {Error} */ (failure).message);
  }
}

/**
 * @param {string} title
 * @param {string} text
 * @param {string} yes
 * @param {() => unknown} action
 */
function ask(title, text, yes, action) {
  const sure = element("button", { type: "button", class: "tool primary", text: yes });
  const dialog = openDialog(title, element("p", { text }), element("p", { class: "class-ask" }, sure, smallButton("Cancel", () => dialog.close())));
  sure.addEventListener("click", () => {
    dialog.close();
    action();
  });
}
