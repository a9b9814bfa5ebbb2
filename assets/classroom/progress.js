// Steps of lessons: a student's page says when one is done, the teacher's shows how many have finished each of the open lesson.

import { element, write } from "../core/dom.js";
import { on } from "../core/events.js";
import { view } from "../core/store.js";
import { countStudents, partsOf, soon } from "./parts.js";
import { fetchLessons, openLesson } from "./questions.js";
import { finished } from "./tallies.js";

/** @import { Room } from "./parts.js" */

/** @param {Room} room */
export function startReporting(room) {
  const end = on("step-done", ({ lesson, step }) => {
    room.act("done", { lesson, step }).catch(() => null); // the room says itself when it is not reached
  });
  room.on("over", end);
}

/**
 * Returns what makes the list of steps for a teacher.
 * @param {Room} room
 * @returns {() => HTMLElement}
 */
export function startProgress(room) {
  /** @type {Set<() => void>} */
  const lists = new Set();
  const draw = soon(() => lists.forEach((show) => show()));
  const look = () => {
    if (view.state.lesson) fetchLessons().then(draw);
    draw();
  };
  room.on("student/", draw);
  const end = on("state", look);
  room.on("over", end);
  look();
  return () => {
    const title = element("h3");
    const list = element("ol", { class: "class-steps" });
    const root = element("section", { class: "class-tools-part" }, title, list);
    const show = () => {
      const lesson = openLesson();
      root.hidden = !lesson;
      if (!lesson) return;
      const students = partsOf(room, "student/").map(([, student]) => student);
      const counts = finished(students, view.state.lesson, lesson.steps.length);
      const all = countStudents(room);
      write(title, `Steps finished in “${lesson.title}”`);
      list.replaceChildren(
        ...lesson.steps.map((step, i) =>
          element(
            "li",
            { "aria-current": i + 1 === view.state.lesson_step ? "step" : null },
            element("span", { class: "class-step-title", text: `${i + 1}  ${step.title}` }),
            element("span", { class: "class-bar-track", "aria-hidden": "true" }, element("i", { style: `width:${all ? (100 * counts[i]) / all : 0}%` })),
            element("b", { text: `${counts[i]} of ${all}` })
          )
        )
      );
    };
    lists.add(show);
    show();
    return root;
  };
}
