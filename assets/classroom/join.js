// How one comes into a room: a student by its code, without a name or an account; a teacher by opening one.

import { openDialog } from "../core/dialog.js";
import { element, write } from "../core/dom.js";
import { focusBar } from "./dock.js";

const KEPT = "The room keeps aliases, pictures, answers and scores. No name, no account, no address. They are erased 4 hours after the last action, or when the teacher ends the class.";

const FRAMED = "This page is in a frame that lets nothing through to a room. Open the explorer in a tab of its own.";
const isFramed = window.origin === "null"; // a sandbox: its requests come from nowhere

/**
 * @param {string} code
 * @param {{ join: (code: string) => Promise<unknown>, open: () => Promise<unknown>, opened: () => void, closed: () => void }} actions the first two may fail with a sentence
 */
export function joinDialog(code, { join, open, opened, closed }) {
  const input = element("input", {
    id: "room-code",
    class: "form-control class-input",
    type: "text",
    name: "room",
    value: code.toUpperCase(),
    maxlength: 12,
    autocapitalize: "characters",
    autocomplete: "off",
    spellcheck: "false",
    translate: "no",
    enterkeyhint: "go",
    required: true,
    "aria-describedby": "room-failure",
  });
  const failure = element("p", { id: "room-failure", class: "class-failure", role: "alert" });
  const button = element("button", { type: "submit", class: "tool primary", text: "Join" });
  const other = element("button", { type: "button", class: "button", text: "Open a room", onclick: () => attempt(other, open, opened) });
  const form = element("form", { class: "class-join" }, element("label", { for: "room-code", text: "Code of your class" }), element("div", { class: "class-join-line" }, input, button), failure);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(button, () => join(input.value));
  });

  /**
   * @param {HTMLElement} pressed
   * @param {() => Promise<unknown>} action
   * @param {() => void} [then] once the dialog has given the focus back
   */
  async function attempt(pressed, action, then) {
    if (form.getAttribute("aria-busy") === "true" || isFramed) return;
    form.setAttribute("aria-busy", "true");
    write(failure, "");
    try {
      await action();
      dialog.close();
      then?.();
      if (document.activeElement === document.body || dialog.contains(document.activeElement)) focusBar(); // a link opened the dialog: no button has the focus back
    } catch (cause) {
      write(failure, /** @type {Error} */ (cause).message);
      if (pressed === button) input.select();
    } finally {
      form.removeAttribute("aria-busy");
    }
  }

  const about = element("p", { class: "quiet", text: "You get an alias such as “Blue heron”. It is yours in this tab." });
  const teacher = element("div", { class: "class-teach" }, element("span", { text: "Do you teach? Your class joins by a code and sees what you do." }), other);
  const dialog = openDialog("Class", form, about, element("p", { class: "quiet", text: KEPT }), teacher);
  dialog.classList.add("class-dialog");
  dialog.addEventListener("close", closed);
  if (isFramed) write(failure, FRAMED);
  (code ? button : input).focus();
}
