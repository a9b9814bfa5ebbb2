// Challenges: the server scores pictures from their states. The teacher starts and ends one, students send what they try.

import { element, smallButton, write } from "../core/dom.js";
import { on } from "../core/events.js";
import { take } from "../core/session.js";
import { view } from "../core/store.js";
import { dockPanel, tell } from "./dock.js";
import { acted, now, partsOf, soon } from "./parts.js";
import { remember, remembered } from "./remembered.js";
import { closeClass } from "./view.js";
import { clock, ranked } from "./tallies.js";

/** @import { State } from "../types.js" */
/** @import { Room } from "./parts.js" */

/** @typedef {{ alias: string, score: number, text: string, at?: number, state?: State }} Score */
/** @typedef {{ kind: string, title: string, rule: string, state: State, started: number, ends: number, over: boolean, best: Score[] }} Challenge */

const MOST = 10; // on the board
const MINUTES = { least: 1, usual: 5, most: 20 };
const LAST = 60; // seconds before the end that are said
const AGAIN = 5000; // ms before a challenge whose time is over is ended again

/** @param {Room} room */
const challengeOf = (room) => /** @type {Challenge | null} */ (room.parts.get("challenge") ?? null);

/** What belongs to a picture: not what the visitor looks at. */
function pictureOf(/** @type {State} */ state) {
  const looks = ["tab", "lab", "lab_settings", "lesson", "lesson_step", "hide", ...view.config.looks];
  return /** @type {Partial<State>} */ (Object.fromEntries(Object.entries(state).filter(([key]) => !looks.includes(key))));
}

/** @param {Score[]} best */
function board(best, /** @type {string | null} */ own = null) {
  const list = best.map(({ alias, text }) => element("li", { class: alias === own ? "own" : "" }, element("b", { text: alias === own ? `${alias} (you)` : alias }), element("span", { text })));
  return list.length ? element("ol", { class: "class-board", "aria-label": "Best first" }, ...list) : element("p", { class: "quiet", text: "No try counts yet." });
}

/**
 * A clock that runs while a challenge does; `ended` is called when its time is over, and again until the room says so.
 * @param {Room} room
 * @param {(text: string) => void} show
 * @param {() => void} ended
 */
function runClock(room, show, ended) {
  let timer = 0;
  let said = 0; // what was started when its last minute was said
  const tick = () => {
    window.clearTimeout(timer);
    const challenge = challengeOf(room);
    if (!challenge) return;
    const left = challenge.ends - now(room);
    if (challenge.over) return show("over");
    show(left > 0 ? `${clock(Math.ceil(left))} left` : "time is over");
    if (left > 0 && left <= LAST && said !== challenge.started) {
      said = challenge.started;
      if (challenge.ends - challenge.started > LAST + 1) tell("One minute is left.");
    }
    if (left <= 0) ended();
    timer = window.setTimeout(tick, left <= 0 ? AGAIN : 1000 * (left % 1) + 20);
  };
  return tick;
}

// ---- students

/** @param {Room} room */
export function startContests(room) {
  const panel = dockPanel("class-challenge", { label: "Close", close: () => hide() });
  const rule = element("p", { class: "class-panel-question" });
  const said = element("p", { class: "class-tried", role: "status" });
  const own = element("p", { class: "quiet" });
  const list = element("div");
  const other = element("p", { class: "quiet" });
  panel.body.append(rule, other, said, own, list);
  let built = "";
  let closed = remembered(room, "closed") ?? 0; // what was started when the student closed it
  let sending = false;
  const from = smallButton("Start from the challenge’s picture", () => {
    const challenge = challengeOf(room);
    if (!challenge) return;
    closeClass(); // it is painted in the explorer
    room.letGo?.();
    take(pictureOf(challenge.state));
  });
  const send = smallButton("Send my try", () => tryIt());
  send.classList.add("lesson-primary");

  const best = () => {
    const kept = remembered(room, "best");
    return kept?.started === challengeOf(room)?.started ? kept.text : "";
  };

  function hide() {
    const challenge = challengeOf(room);
    if (!challenge?.over) return panel.small(true); // it runs on
    closed = challenge.started;
    remember(room, "closed", closed);
    draw();
  }

  async function tryIt() {
    const challenge = challengeOf(room);
    if (sending || !challenge) return;
    sending = true;
    send.setAttribute("aria-disabled", "true");
    try {
      const { valid, text, best: isBest } = await room.act("try", { state: view.state });
      if (valid && isBest) remember(room, "best", { started: challenge.started, text });
      write(said, valid && isBest ? `${text} Your best.` : valid ? `${text} Not better than your best.` : text);
    } catch (failure) {
      write(said, /** @type {Error} */ (failure).message);
    }
    sending = false;
    send.removeAttribute("aria-disabled");
    draw();
  }

  const tick = runClock(room, panel.aside, () => draw());

  function draw() {
    const challenge = challengeOf(room);
    const open = challenge !== null && closed !== challenge.started;
    panel.show(open);
    if (!open || !challenge) return;
    const { started, over, title } = challenge;
    const running = !over && challenge.ends > now(room);
    const as = `${started} ${over} ${running}`;
    if (as !== built) {
      const isNew = !built.startsWith(`${started} `);
      if (isNew) {
        panel.small(over); // who comes later finds the board small
        write(said, "");
        tell(over ? `The challenge “${title}” is over.` : `A challenge: ${title}`);
      } else if (over) tell("The challenge is over. The best are listed.");
      panel.rename(`Challenge: ${title}`);
      write(rule, challenge.rule);
      const held = panel.foot.contains(document.activeElement);
      panel.foot.replaceChildren(...(running ? [from, send] : []));
      if (held && !running) panel.focus(); // the button is gone
      built = as;
    }
    const { network } = challenge.state;
    write(other, running && view.state.network !== network ? `Your page has another network. Tries are scored with “${view.config.networks[network].title}”.` : "");
    write(own, best() && !over && !said.textContent?.startsWith(best()) ? `Your best: ${best()}` : "");
    list.replaceChildren(...(over ? [board(challenge.best.slice(0, MOST), room.alias)] : running ? [] : [element("p", { class: "quiet", text: "Time is over. Your teacher ends the challenge." })]));
  }

  room.on("challenge", () => {
    draw();
    tick();
  });
  const end = on("state", (patch) => "network" in patch && draw());
  room.on("over", end);
  draw();
  tick();
}

// ---- the teacher

/**
 * Returns what makes the button that starts a challenge; clock and board are in the dock.
 * @param {Room} room
 * @returns {() => HTMLElement}
 */
export function startLeadingContests(room) {
  const panel = dockPanel("class-challenge lead", { label: "Close the board", close: () => hide() });
  const form = dockPanel("class-start", { label: "Close", close: () => form.show(false) });
  const rule = element("p", { class: "class-panel-question" });
  const said = element("p", { class: "class-panel-said", role: "status" });
  const list = element("div");
  panel.body.append(rule, list, said);
  /** @type {Set<() => void>} */
  const tools = new Set();
  let built = "";
  let closed = remembered(room, "closed") ?? 0;
  let opened = 0; // whose winner is on the page
  let ran = 0; // what was started when this page saw it run

  const challenge = () => challengeOf(room);
  const scores = () => ranked(partsOf(room, "score/").map(([, score]) => score));

  function hide() {
    closed = challenge()?.started ?? 0;
    remember(room, "closed", closed);
    draw();
  }

  const end = smallButton("End the challenge", () => acted(room, "challenge-end", {}, said));
  const open = smallButton("Open the winning picture", () => openWinner());
  open.classList.add("lesson-primary");

  function openWinner() {
    const [first] = scores();
    if (!first?.state) return;
    closeClass();
    take({ ...pictureOf(first.state), tab: "integrated", lab: "", lab_settings: {}, lesson: "", lesson_step: 1 });
    panel.small(true); // so that all of it is seen
  }

  // ---- to start one

  const choices = Object.entries(view.config.challenges ?? []).map(([i, { kind, title, rule: told }]) =>
    element("label", { class: "class-kind" }, element("input", { type: "radio", name: "class-kind", value: kind, checked: i === "0" }), element("span", {}, element("b", { text: title }), element("span", { text: told })))
  );
  const minutes = element("input", { type: "number", class: "form-control", min: MINUTES.least, max: MINUTES.most, value: MINUTES.usual, "aria-label": "Minutes" });
  const refused = element("p", { class: "class-panel-said", role: "status" });
  const start = smallButton("Start", async () => {
    const kind = /** @type {HTMLInputElement | null} */ (form.root.querySelector("[name=class-kind]:checked"))?.value;
    const count = Number(minutes.value);
    if (!Number.isInteger(count) || count < MINUTES.least || count > MINUTES.most) return write(refused, `Whole minutes, ${MINUTES.least} to ${MINUTES.most}.`);
    if (await acted(room, "challenge", { kind, minutes: count, state: view.state }, refused)) form.show(false);
  });
  start.classList.add("lesson-primary");
  form.rename("Start a challenge");
  form.body.append(
    element("div", { class: "class-kinds", role: "radiogroup", "aria-label": "Challenge" }, ...choices),
    element("label", { class: "class-minutes" }, "Minutes ", minutes),
    element("p", { class: "quiet", text: "It starts from the picture and the network that are on your page now." }),
    refused
  );
  form.foot.append(start);

  // ---- while one runs, and after

  const winner = () => {
    const [first] = scores();
    return first ? `won by ${first.alias}` : "over";
  };
  const tick = runClock(room, (text) => panel.aside(challenge()?.over ? winner() : text), () => acted(room, "challenge-end", {}, said));

  function draw() {
    tools.forEach((show) => show());
    const running = challenge();
    const shown = running !== null && closed !== running.started;
    panel.show(shown);
    if (!running) return;
    const { started, over } = running;
    if (!over) ran = started;
    if (over && ran === started && opened !== started) {
      opened = started;
      openWinner();
    }
    if (!shown) return;
    const best = scores();
    const as = `${started} ${over} ${best.length > 0}`;
    if (as !== built) {
      if (!built.startsWith(`${started} `)) panel.small(over);
      panel.rename(`Challenge: ${running.title}`);
      write(rule, running.rule);
      const held = panel.foot.contains(document.activeElement);
      panel.foot.replaceChildren(...(over ? (best.length ? [open] : []) : [end]));
      if (held && !panel.foot.contains(document.activeElement)) panel.focus();
      built = as;
    }
    list.replaceChildren(board((over && running.best.length ? running.best : best).slice(0, MOST)));
  }

  const drawSoon = soon(draw);
  room.on("challenge", () => {
    drawSoon();
    tick();
  });
  room.on("score/", drawSoon);
  room.on("over", () => form.show(false));
  draw();
  tick();

  return () => {
    const button = smallButton("Start a challenge…", () => {
      form.show(true);
      form.small(false);
      form.focus(); // it was opened by a press
    });
    const board_ = smallButton("Show the board", () => {
      closed = 0;
      remember(room, "closed", 0);
      panel.small(false);
      draw();
    });
    const section = element("section", { class: "class-tools-part" }, element("h3", { text: "Challenge" }), element("div", { class: "class-buttons" }, button, board_));
    const show = () => {
      const running = challenge();
      section.hidden = Boolean(running && !running.over && closed !== running.started);
      button.hidden = Boolean(running && !running.over);
      board_.hidden = !running || closed !== running.started;
    };
    tools.add(show);
    show();
    return section;
  };
}
