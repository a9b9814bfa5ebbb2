// A student's side of questions: the panel that asks, what was answered, and the class's answers when the teacher reveals them.

import { element, smallButton, write } from "../core/dom.js";
import { on } from "../core/events.js";
import { view } from "../core/store.js";
import { markGrid } from "../lessons/marks.js";
import { choiceBars, LETTERS } from "./bars.js";
import { dockPanel, tell } from "./dock.js";
import { heatMap } from "./heat.js";
import { isAskedOnPage } from "./questions.js";
import { remember, remembered } from "./remembered.js";

/** @import { Pixels } from "../types.js" */
/** @import { Room } from "./parts.js" */

/** @typedef {{ choice?: number, pixels?: number[] }} Vote */
/** @typedef {{ key: string, kind: "choice" | "marks", title: string, choices: string[] | null, pixels: number | null, picture: Pixels | null, network: string | null, revealed: boolean, answered: number, totals: number[] | null }} Poll */

const lookingAt = /** @type {const} */ (["state", "answer", "lab"]); // what says whether the question is on the page

/** @param {Room} room */
export function startAnswering(room) {
  const panel = dockPanel("class-question");
  const said = element("p", { class: "class-panel-said quiet", role: "status" });
  const shown = { key: "", as: "" };
  /** @type {ReturnType<typeof choiceBars> | ReturnType<typeof heatMap> | null} */
  let totals = null;
  /** @type {(HTMLButtonElement)[]} */
  let buttons = [];
  /** @type {Record<string, Vote>} */
  const votes = remembered(room, "votes") ?? {};
  const skipped = new Set();
  const poll = () => /** @type {Poll | null} */ (room.parts.get("poll") ?? null);

  /**
   * @param {string} key
   * @param {Vote} vote
   */
  async function answer(key, vote) {
    votes[key] = vote;
    remember(room, "votes", votes);
    draw();
    try {
      await room.act("vote", { key, ...vote });
    } catch (failure) {
      write(said, /** @type {Error} */ (failure).message);
    }
  }

  /** What is to be done with the question now: see below for each. */
  function stage(/** @type {Poll} */ asked) {
    if (asked.revealed) return "totals";
    const isAnswered = Boolean(votes[asked.key]); // here, while the page did not ask yet
    return isAskedOnPage(asked.key) && !isAnswered ? "page" : asked.kind === "marks" && !isAnswered ? "mark" : asked.kind === "marks" ? "marked" : "choose";
  }

  function draw() {
    const asked = poll();
    const open = asked !== null && !(skipped.has(asked.key) && !asked.revealed);
    panel.show(open);
    document.body.classList.toggle("class-marking", open && stage(/** @type {Poll} */ (asked)) === "mark");
    if (!open || !asked) return void Object.assign(shown, { key: "", as: "" });
    const as = stage(asked);
    if (shown.key !== asked.key || shown.as !== as) build(asked, as);
    Object.assign(shown, { key: asked.key, as });
    const own = votes[asked.key];
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(own?.choice === i)));
    if (as === "totals" && totals) {
      const counts = asked.totals ?? [];
      if (asked.kind === "marks") /** @type {ReturnType<typeof heatMap>} */ (totals).set(counts, asked.answered);
      else /** @type {ReturnType<typeof choiceBars>} */ (totals).set(counts, own?.choice ?? null);
    }
    const [leave] = panel.foot.children;
    if (leave) write(leave, own ? "Close" : "Skip");
    write(said, saying(asked, as, own));
  }

  /**
   * @param {Poll} asked
   * @param {string} as
   */
  function build(asked, as) {
    if (totals && "remove" in totals) totals.remove();
    totals = null;
    buttons = [];
    const isNew = shown.key !== asked.key;
    panel.rename(as === "totals" ? "The class’s answers" : "Your teacher asks");
    if (isNew || as === "totals" || as === "page") panel.small(as === "page"); // there the page itself asks
    panel.aside(as === "page" ? (asked.key.startsWith("lab/") ? "Answer it in the lab." : "Answer it in the lesson.") : "");
    const question = element("p", { class: "class-panel-question", text: asked.title });
    panel.body.replaceChildren(question, ...parts(asked, as), said);
    panel.foot.replaceChildren(...(as === "totals" ? [] : [skip(asked.key)]));
    if (isNew || as === "totals") tell(as === "totals" ? "The class’s answers are here." : `Your teacher asks: ${asked.title}`);
  }

  /**
   * @param {Poll} asked
   * @param {string} as
   * @returns {Node[]}
   */
  function parts(asked, as) {
    const { key, choices, pixels, picture } = asked;
    if (as === "choose") {
      buttons = (choices ?? []).map((text, i) => element("button", { type: "button", class: "lesson-choice", onclick: () => answer(key, { choice: i }) }, element("i", { text: LETTERS[i] }), element("span", { text })));
      return [element("div", { class: "lesson-choices", role: "group", "aria-label": "Your answer" }, ...buttons)];
    }
    if (as === "mark") return marking(key, pixels ?? 8, picture ?? view.state.pixels);
    if (as !== "totals") return [];
    totals = asked.kind === "marks" ? heatMap(votes[key]?.pixels) : choiceBars(choices ?? []);
    return [totals.root];
  }

  /**
   * @param {string} key
   * @param {number} most
   * @param {Pixels} picture
   */
  function marking(key, most, picture) {
    /** @type {number[]} */
    let marked = [];
    const count = element("span", { role: "status", text: `0 of ${most} marked` });
    const send = element("button", { type: "button", class: "button lesson-go", text: "Send my marks", "aria-disabled": "true", onclick: () => marked.length === most && sendMarks() });
    const sendMarks = () => {
      const held = document.activeElement === send;
      answer(key, { pixels: marked });
      if (held) panel.focus(); // the button is gone
    };
    const grid = markGrid(picture, most, (now) => {
      marked = now;
      write(count, `${marked.length} of ${most} marked`);
      send.setAttribute("aria-disabled", String(marked.length !== most));
      send.classList.toggle("lesson-primary", marked.length === most);
    });
    return [element("p", { text: key.startsWith("ask/") ? `Mark the ${most} pixels that Integrated Gradients finds strongest.` : `Mark ${most} pixels.` }), grid, element("div", { class: "lesson-marked" }, count, send)];
  }

  /** @param {{ key: string } & Vote} event */
  function predicted({ key, ...vote }) {
    skipped.add(key); // the page says what was predicted
    answer(key, vote);
  }

  const skip = (/** @type {string} */ key) =>
    smallButton("Skip", () => {
      skipped.add(key);
      draw();
    });

  room.on("poll", draw);
  const ends = [...lookingAt.map((event) => on(event, () => poll() && draw())), on("predicted", predicted)];
  const lessons = new MutationObserver(() => poll() && draw()); // after a reload the lesson opens later than the question comes
  lessons.observe(document.body, { attributes: true, attributeFilter: ["class"] });
  room.on("over", () => {
    ends.forEach((end) => end());
    lessons.disconnect();
  });
  draw();
}

/**
 * @param {Poll} asked
 * @param {string} as
 * @param {Vote | undefined} own
 */
function saying(asked, as, own) {
  if (as === "totals") return `${asked.answered} ${asked.answered === 1 ? "person has" : "people have"} answered.`;
  if (as === "page") return asked.key.startsWith("lab/") ? "Answer it in the lab: it is your prediction." : "Answer it in the lesson’s card.";
  if (!own) return "";
  return as === "marked" ? "Your marks are sent. The class’s marks come when your teacher reveals them." : `You answered ${LETTERS[own.choice ?? 0]}. You can change it until your teacher reveals the answers.`;
}
