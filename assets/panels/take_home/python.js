// The case as a few lines of Python that ask the explorer itself.

import { copy, openDialog } from "../../core/dialog.js";
import { shownText } from "../../core/download.js";
import { link } from "../../core/session.js";
import { view } from "../../core/store.js";

const SHOWN_FOR = 2000; // ms

/** @param {HTMLButtonElement} button */
export async function copyPython(button) {
  const text = python();
  if (!(await copy(text))) return void openDialog("Python", ...shownText("Python", text));
  const before = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = before), SHOWN_FOR);
}

/** A link, and the name of a network, have no character that a string of Python would read in another way. */
function python() {
  const name = view.state.network;
  const own = view.config.networks[name].own;
  return `# In a checkout of the explorer, or where it is installed
${own ? "from pathlib import Path\n\n" : ""}from explorer.attribution import METHODS
from explorer.labs.asked import asked
from explorer.link import read_link
from explorer.models import load_zoo
${own ? "from explorer.own.load import load_network\n" : ""}
zoo = ${own ? `{**load_zoo(), "${name}": load_network(Path("${name}.safetensors"))}  # where your network’s two files are; explorer.export_network writes them` : "load_zoo()"}
state, notices = read_link(${JSON.stringify(link())}, zoo)
assert not notices, notices
case = state.case(zoo)
maps = {name: asked(METHODS[name], case, state).attribution for name in state.pinned if not METHODS[name].unsupported_reason(case.network)}
for name, attribution in maps.items():
    print(METHODS[name].title, attribution.sum(), attribution.round(3), sep="\\n")
`;
}
