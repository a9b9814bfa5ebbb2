// The case as a few lines of Python that ask the explorer itself.

import { copy, openDialog } from "../../core/dialog.js";
import { shownText } from "../../core/download.js";
import { link } from "../../core/session.js";

const SHOWN_FOR = 2000; // ms

/** @param {HTMLButtonElement} button */
export async function copyPython(button) {
  const text = python();
  if (!(await copy(text))) return void openDialog("Python", ...shownText("Python", text));
  const before = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = before), SHOWN_FOR);
}

/** A link has no character that a string of Python would read in another way. */
const python = () => `# In a checkout of the explorer, or where it is installed
from explorer.attribution import METHODS
from explorer.labs.asked import asked
from explorer.link import read_link
from explorer.models import load_zoo

zoo = load_zoo()
state, notices = read_link(${JSON.stringify(link())}, zoo)
case = state.case(zoo)
maps = {name: asked(METHODS[name], case, state).attribution for name in state.pinned if not METHODS[name].unsupported_reason(case.network)}
for name, attribution in maps.items():
    print(METHODS[name].title, attribution.sum(), attribution.round(3), sep="\\n")
`;
