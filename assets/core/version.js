// Which version of the explorer the page, its layout and the server's answers are of. While replicas are replaced, they differ.

import { Outdated } from "./errors.js";
import { emit } from "./events.js";
import { view } from "./store.js";

/** @type {WeakSet<object>} */
const foreign = new WeakSet(); // answers that came from another version

/** The page names its own version, as the layout may come from another replica than the page and its scripts. */
const ownVersion = () => /** @type {HTMLMetaElement | null} */ (document.querySelector("meta[name='explorer-version']"))?.content;

/**
 * Whether that is another version than the page's own; never where one of the two is not known.
 * @param {string | null} version
 */
export function isOther(version) {
  const own = ownVersion();
  return Boolean(version && own && version !== own);
}

/**
 * @param {object} answer
 * @param {string | null} version
 */
export function noteOrigin(answer, version) {
  if (isOther(version)) foreign.add(answer);
}

/**
 * Whether another version has a part in how an answer is drawn: by what it says, or by the layout that it is drawn in.
 * @param {object} answer
 */
export const isForeign = (answer) => foreign.has(answer) || isOther(view.config.build);

/**
 * The layout and every answer say by which version they were given.
 * @param {string | null} version
 */
export function hearVersion(version) {
  if (version && isOther(version)) emit("other-version", version);
}

/** The failure of a page that cannot show what another version says; the visitor is told. */
export function outdated() {
  emit("outdated");
  return new Outdated("there is nothing that can be shown");
}
