// The button Class, and the links that lead into a room. What a room needs is fetched when one is opened or joined.

import { keptCredential } from "../core/credential.js";
import { byId, smallButton } from "../core/dom.js";
import { notice } from "../core/notices.js";
import { view } from "../core/store.js";

let failed = () => {}; // takes the last notice away

/** Before the session reads the address: a secret is sent to nobody, and a code is no part of a state. */
export function startClassroom() {
  const { code, secret, opened } = takeLink();
  if (!view.config.rooms) return;
  const button = byId("class");
  button.hidden = false;
  button.addEventListener("click", () => withRoom((script) => script.press()));
  const known = keptCredential();
  if (secret) withRoom((script) => script.enterByLink({ code: secret[1].toUpperCase(), token: secret[2], role: "teacher" }, known));
  else if (known && (!code || code.toUpperCase() === known.code)) withRoom((script) => script.enter(known, { opened }));
  else if (code !== null) withRoom((script) => script.askForCode(code, known));
}

/** What the address says of a room, taken out of it. */
function takeLink() {
  const { search, hash, pathname } = window.location;
  const secret = /^#teacher=([A-Za-z]{5})\.([\w-]+)$/.exec(hash);
  const link = new URLSearchParams(search);
  const code = link.get("room");
  link.delete("room");
  const rest = code === null ? search : link.size ? `?${link}` : "";
  if (secret || code !== null) window.history.replaceState(window.history.state, "", pathname + rest + (secret ? "" : hash));
  const [how] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
  return { code, secret, opened: rest !== "" && how?.type === "navigate" };
}

/** @param {(script: typeof import("../classroom/room.js")) => unknown} use */
async function withRoom(use) {
  failed();
  try {
    await use(await import("../classroom/room.js"));
  } catch (failure) {
    window.reportError(failure);
    failed = notice("The class’s part of the page did not come.", { button: smallButton("Try again", () => withRoom(use)) });
  }
}
