// The case as a Jupyter notebook, which the server writes.

import { address, download, fileName } from "../../core/download.js";
import { Busy, Refused } from "../../core/errors.js";
import { notice } from "../../core/notices.js";
import { askServer } from "../../core/server.js";
import { view } from "../../core/store.js";
import { whileBusy } from "./busy.js";

const WITHIN = 30000; // ms
const ATTEMPTS = 5; // at a server that is busy

let asked = 0;

/** @param {HTMLButtonElement} button */
export const saveNotebook = (button) => whileBusy(button, "Writing the notebook…", save);

async function save() {
  const { options, pinned } = view.state;
  const state = { ...view.asked, options, pinned };
  const where = address(state);
  const question = { ask: ++asked, state: { ...state, tab: view.config.defaults.tab, lab: "", lab_settings: {} }, address: /^https?:/.test(where) ? where : "" };
  const name = fileName("notebook", "ipynb");
  try {
    const { notebook } = await patiently(question);
    download(name, new Blob([JSON.stringify(notebook, null, 1)], { type: "application/x-ipynb+json" }));
  } catch (cause) {
    if (cause instanceof Refused) notice(`No notebook: ${cause.message.trim()}`);
    else throw cause;
  }
}

/** @param {{ ask: number }} question */
async function patiently(question) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await askServer("notebook-answers", "notebook-question", question, AbortSignal.timeout(WITHIN));
    } catch (cause) {
      if (!(cause instanceof Busy) || attempt === ATTEMPTS) throw cause;
      await new Promise((done) => setTimeout(done, 1000 * cause.seconds));
    }
  }
}
