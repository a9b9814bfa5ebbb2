// A class's room, as this page is in it: who one is there, what it holds, and how one acts in it.

import { keepCredential } from "../core/credential.js";
import { smallButton } from "../core/dom.js";
import { on } from "../core/events.js";
import { laterStyle } from "../core/later_style.js";
import { notice } from "../core/notices.js";
import { hasAnswer } from "../core/store.js";
import * as asking from "./asking.js";
import { startBar } from "./bar.js";
import { connect, enterBy } from "./connection.js";
import { startFollowing } from "./follow.js";
import { joinDialog } from "./join.js";
import { startLeading } from "./lead.js";
import * as classView from "./view.js";

/** @import { Credential } from "../core/credential.js" */
/** @import { Message, Quality } from "./connection.js" */

/**
 * The room. `parts`: their contents by name, null for what was erased; `on`: hears of the parts whose names begin so, of
 * "message" after all parts of one, of "quality", "following" and "over"; `offset`: seconds that the server's clock is ahead.
 * @typedef {{
 *   role: "teacher" | "student", code: string, alias: string | null, token: string, parts: Map<string, any>, offset: number, quality: Quality,
 *   on: (prefix: string, listener: (name: string, content: any) => void) => () => void, act: (name: string, body?: Record<string, any>) => Promise<any>,
 *   sendOnce: (name: string, body: Record<string, any>) => Promise<any>, tell: (name: string, content?: any) => void,
 *   following: boolean, opened: boolean, letGo: () => void, comeBack: () => void, keep: (changes: Partial<Credential>) => void, forget: () => void,
 * }} Room
 */

/** @type {Room | null} */
let room = null;
let was = false; // in a room before: its listeners are still there

/** The button Class. */
export async function press() {
  if (!room) return askForCode();
  if (classView.isClassOpen()) classView.closeClass();
  else await classView.openClass();
}

/**
 * @param {string} [code] that a link brought
 * @param {Credential | null} [known] of the room that this tab is in, unless another is joined
 */
export async function askForCode(code = "", known = null) {
  await laterStyle("classroom");
  if (document.querySelector(".class-dialog")) return; // it was pressed twice
  joinDialog(code, {
    join: async (typed) => enter(await enterBy("room/join", { code: typed })),
    open: async () => enter(await enterBy("room/open", {})),
    opened: () => void classView.openClass(),
    closed: () => known && !room && enter(known),
  });
}

/**
 * Be the teacher of a room, by a link that may be wrong.
 * @param {Credential} credential
 * @param {Credential | null} known of the room that this tab is in
 */
export async function enterByLink(credential, known) {
  const failed = () => {
    const back = known && known.token !== credential.token ? smallButton(`Back to room ${known.code}`, () => enter(known)) : null;
    if (back) keepCredential(known);
    notice("This teacher link leads to no room: its room has ended, or a part of the link is missing.", { button: back ?? smallButton("Another room", () => askForCode()) });
  };
  await enter(credential, { failed });
}

/**
 * Be in a room from now on.
 * @param {Credential} credential
 * @param {{ failed?: () => void, opened?: boolean }} [how] `failed`: what to do if it lets nobody in; `opened`: see Room
 */
export async function enter(credential, { failed, opened = false } = {}) {
  if (keepCredential(credential) && was) return window.location.reload(); // what heard of the other room is gone then
  was = true;
  await laterStyle("classroom");
  const made = Object.assign(makeRoom(credential, failed), { opened });
  room = made;
  startBar(made);
  const isTeacher = made.role === "teacher";
  if (isTeacher) await asking.start(made);
  if (room === made) await classView.start(made, isTeacher ? asking.teacherTools(made) : null);
  if (room === made && !isTeacher) await asking.start(made);
  whenAnswered(() => {
    if (room !== made) return; // it has ended meanwhile
    if (isTeacher) startLeading(made);
    else startFollowing(made, !credential.away);
  });
}

/** @param {() => void} start */
function whenAnswered(start) {
  if (hasAnswer()) return start();
  const end = on("answer", () => {
    end();
    start();
  });
}

/**
 * @param {Credential} credential
 * @param {() => void} [failed]
 * @returns {Room}
 */
function makeRoom(credential, failed) {
  /** @type {Set<{ prefix: string, listener: (name: string, content: any) => void }>} */
  const listeners = new Set();
  let kept = credential;
  const connection = connect(credential, {
    received,
    quality: (quality) => {
      if (quality === made.quality) return;
      made.quality = quality;
      made.tell("quality", quality);
    },
    over: () => end("This room has ended. Your page goes on without it."),
  });
  /** @type {Room} */
  const made = {
    role: credential.role,
    code: credential.code,
    alias: credential.alias ?? null,
    token: credential.token,
    parts: new Map(),
    offset: 0,
    quality: "reconnecting",
    on(prefix, listener) {
      const one = { prefix, listener };
      listeners.add(one);
      return () => void listeners.delete(one);
    },
    act: connection.act,
    sendOnce: connection.sendOnce,
    tell: (name, content = null) => [...listeners].forEach(({ prefix, listener }) => name.startsWith(prefix) && listener(name, content)),
    following: false,
    opened: false,
    letGo: () => {},
    comeBack: () => {},
    keep: (changes) => {
      if (room !== made) return;
      kept = { ...kept, ...changes };
      keepCredential(kept);
    },
    forget: () => end("You have left the class."),
  };

  /** @param {Message} message */
  function received({ parts, now, alias, whole }) {
    made.offset = now - Date.now() / 1000;
    if (alias !== made.alias) made.keep({ alias });
    made.alias = alias;
    const changed = new Map(Object.entries(parts));
    if (whole) made.parts.forEach((content, name) => content !== null && !changed.has(name) && changed.set(name, null));
    changed.forEach((content, name) => made.parts.set(name, content));
    changed.forEach((content, name) => made.tell(name, content));
    made.tell("message");
  }

  /** @param {string} text */
  function end(text) {
    if (room !== made) return;
    room = null;
    connection.close();
    keepCredential(null);
    const names = [...made.parts.keys()];
    names.forEach((name) => made.parts.set(name, null));
    names.forEach((name) => made.tell(name));
    made.tell("over");
    classView.endClass();
    if (failed && !names.length) return failed();
    notice(text, { button: smallButton("Another room", () => askForCode()) });
  }

  return made;
}
