// A teacher's side of questions: ask the class, see how many have answered, reveal the answers.

import { element, smallButton, write } from "../core/dom.js";
import { on } from "../core/events.js";
import { hasAnswer, view } from "../core/store.js";
import { choiceBars } from "./bars.js";
import { dockPanel } from "./dock.js";
import { marksBesideMap } from "./marks_beside_map.js";
import { acted, countStudents, partsOf, soon } from "./parts.js";
import { fetchLessons, openLesson, questionOnPage, whereOnPage } from "./questions.js";
import { remember, remembered } from "./remembered.js";

/** @import { Poll } from "./answering.js" */
/** @import { Room } from "./parts.js" */
/** @import { Asked, Question } from "./questions.js" */

const MARKS = [4, 6, 8, 12, 16];
const USUAL = 8;

/**
 * Returns what makes the buttons that ask; the answers are in the dock.
 * @param {Room} room
 * @returns {() => HTMLElement}
 */
export function startAskClass(room) {
  const panel = dockPanel("class-answers", { label: "End the question", close: () => end() });
  const said = element("p", { class: "class-panel-said", role: "status" });
  /** @type {Set<() => void>} */
  const tools = new Set();
  /** @type {Question | null} */
  let looked = null; // whose answers are shown without having been asked
  /** @type {Record<string, Asked>} */
  const about = remembered(room, "asked") ?? {};
  let built = "";
  /** @type {ReturnType<typeof choiceBars> | ReturnType<typeof marksBesideMap> | null} */
  let totals = null;

  const poll = () => /** @type {Poll | null} */ (room.parts.get("poll") ?? null);
  const votesOf = (/** @type {string} */ key) => partsOf(room, `vote/${key}/`).map(([, vote]) => vote);

  const act = (/** @type {string} */ name, /** @type {Record<string, any>} */ body) => acted(room, name, body, said);

  /**
   * @param {Question} question
   * @param {Asked | null} asked
   */
  function keep({ key }, asked) {
    if (!asked) return;
    about[key] = asked;
    remember(room, "asked", about);
  }

  async function ask(/** @type {Question} */ question) {
    looked = question;
    panel.small(false);
    draw();
    return act("poll", question);
  }

  async function reveal(/** @type {boolean} */ on_) {
    if (!poll() && looked && !(await act("poll", looked))) return;
    await act("reveal", { on: on_ });
  }

  function end() {
    looked = null;
    if (poll()) act("poll", { key: null });
    draw();
  }

  function askWhere(/** @type {number} */ pixels) {
    const numbers = partsOf(room, "vote/ask/").map(([rest]) => Number(rest.split("/")[0]));
    const last = Number(/^ask\/(\d+)$/.exec(poll()?.key ?? "")?.[1] ?? 0);
    const { question, asked } = whereOnPage(`ask/${Math.max(0, last, remembered(room, "last") ?? 0, ...numbers) + 1}`, pixels);
    remember(room, "last", Number(question.key.slice(4)));
    keep(question, asked);
    ask(question);
  }

  // ---- the answers

  function draw() {
    tools.forEach((show) => show());
    const shown = poll() ?? looked;
    panel.show(Boolean(shown));
    document.body.classList.toggle("class-marking", Boolean(poll()?.kind === "marks" && !poll()?.revealed));
    if (!shown) return clear();
    const revealed = Boolean(poll()?.revealed);
    const votes = votesOf(shown.key);
    const count = `${votes.length} of ${Math.max(votes.length, countStudents(room))} have answered`;
    panel.rename("The class’s answers");
    panel.aside(count);
    const now = `${shown.key} ${revealed} ${Boolean(poll())}`;
    if (now !== built) build(shown, revealed);
    built = now;
    if (!totals) return;
    const size = shown.kind === "marks" ? 64 : (shown.choices ?? []).length;
    const counts = Array.from({ length: size }, () => 0);
    votes.forEach(({ choice, pixels }) => (pixels ?? [choice]).forEach((/** @type {number} */ i) => counts[i]++));
    if ("remove" in totals) totals.set(counts, votes.length);
    else totals.set(counts, null);
  }

  function clear() {
    if (totals && "remove" in totals) totals.remove();
    totals = null;
    built = "";
    panel.body.replaceChildren();
  }

  /**
   * @param {Question | Poll} shown
   * @param {boolean} revealed
   */
  function build(shown, revealed) {
    clear();
    if (revealed) panel.small(false);
    const held = panel.foot.contains(document.activeElement);
    if (revealed) totals = shown.kind === "marks" ? marksBesideMap(askedAbout(shown), shown.pixels ?? USUAL) : choiceBars(shown.choices ?? []);
    const hidden = element("p", { class: "class-hidden quiet", text: poll() ? "The answers are hidden, here and on the students’ pages, until you reveal them." : "Students answer this in the lesson or lab. Ask to bring the question to every page." });
    panel.body.replaceChildren(element("p", { class: "class-panel-question", text: shown.title }), totals?.root ?? hidden, said);
    const show = smallButton(revealed ? "Hide the answers" : "Reveal", () => reveal(!revealed));
    if (!revealed) show.classList.add("lesson-primary");
    const question = poll() ? null : smallButton("Ask: predict first", () => ask(/** @type {Question} */ (shown)));
    panel.foot.replaceChildren(...[smallButton("End the question", end), question, show].filter((button) => button !== null));
    if (held) show.focus();
  }

  /**
   * Of what the question was asked; another device of the teacher's knows only the picture.
   * @param {Question | Poll} shown
   * @returns {Asked}
   */
  function askedAbout({ key, picture, network }) {
    if (about[key]) return about[key];
    const mark = key.startsWith("lesson/") ? openLesson()?.steps[Number(key.split("/")[2]) - 1]?.mark : null;
    const state = { ...view.config.defaults, pixels: picture ?? view.state.pixels, network: network ?? view.state.network };
    return { state, method: mark?.map ?? "integrated_gradients" };
  }

  // ---- the buttons

  function makeTools() {
    const what = element("p", { class: "quiet" });
    const show = smallButton("Show the class’s answers", () => {
      const found = questionOnPage();
      if (!found) return;
      keep(found.question, found.asked);
      looked = found.question;
      if (poll() && poll()?.key !== looked.key) act("poll", looked);
      panel.small(false);
      draw();
    });
    const askFirst = smallButton("Ask: predict first", () => {
      const found = questionOnPage();
      if (!found) return;
      keep(found.question, found.asked);
      ask(found.question);
    });
    const most = element("select", { class: "form-select", "aria-label": "How many pixels to mark" }, ...MARKS.map((count) => element("option", { value: count, text: `${count} pixels`, selected: count === USUAL })));
    const where = smallButton("Ask: mark pixels", () => hasAnswer() && askWhere(Number(most.value)));
    const draw_ = () => {
      const found = questionOnPage();
      const key = found?.question.key ?? "";
      const count = found ? votesOf(key).length : 0;
      write(what, found ? `${found.about}: ${count === 1 ? "1 answer" : `${count} answers`} so far.` : "Open a lab, or a lesson’s step that asks, to ask its question here.");
      show.hidden = askFirst.hidden = !found;
      askFirst.classList.toggle("lesson-primary", poll()?.key !== key);
    };
    tools.add(draw_);
    draw_();
    return element("section", { class: "class-tools-part" }, element("h3", { text: "Ask the class" }), what, element("div", { class: "class-buttons" }, askFirst, show), element("div", { class: "class-buttons" }, where, most));
  }

  const drawSoon = soon(draw);
  const look = () => {
    if (view.state.lesson) fetchLessons().then(drawSoon);
    drawSoon();
  };
  ["poll", "vote/", "student/"].forEach((prefix) => room.on(prefix, drawSoon));
  const ends = [on("state", look), on("answer", look), on("lab", drawSoon)];
  room.on("over", () => ends.forEach((end) => end()));
  look();
  return makeTools;
}
