// What a visitor takes home: the case as a notebook, as a report to be printed and as a few lines of Python, and their own
// pictures. What these need is fetched when one of them is first wanted.

import { byId, element, smallButton } from "../core/dom.js";
import { startGallery } from "../core/gallery.js";
import { notice } from "../core/notices.js";
import { hasAnswer } from "../core/store.js";

const parts = () => import("./take_home/parts.js");

export function startTakeHome() {
  startGallery();
  byId("take-away").append(
    wanted("Notebook for Jupyter", async (button) => (await parts()).saveNotebook(button)),
    wanted("Report to print", async (button) => (await parts()).saveReport(button)),
    wanted("Copy Python", async (button) => (await parts()).copyPython(button)),
    element("p", { class: "quiet", text: "The notebook computes the pinned methods again, with Captum where it has them, and checks the page’s numbers. Tab Compare has the pins." })
  );
  byId("my-pictures").addEventListener("click", () => attempt(async () => (await parts()).openGallery()));
}

/**
 * A button for something that takes a moment.
 * @param {string} text
 * @param {(button: HTMLButtonElement) => Promise<void>} action
 */
function wanted(text, action) {
  const button = smallButton(text, () => {
    if (hasAnswer() && button.getAttribute("aria-busy") !== "true") attempt(() => action(button));
  });
  return button;
}

/** @param {() => Promise<void>} action */
async function attempt(action) {
  try {
    await action();
  } catch {
    notice("The server could not be reached. Please try again.");
  }
}
