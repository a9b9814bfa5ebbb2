// The address bar and the browser's history, whose entries keep the state.

import { sameLink } from "./link.js";
import { view } from "./store.js";

let written = window.location.search; // the link that the address bar shows

/** Query and fragment: some programs make the one of the other. The server tells a link from a place within the page. */
export const addressed = () => window.location.search + (window.location.hash.startsWith("#teacher=") ? "" : window.location.hash); // that is a secret, see classroom.js

const linkInFragment = () => /=|%3d/i.test(window.location.hash);

/**
 * @param {string} link of the state
 * @param {"pushState" | "replaceState"} how
 */
export function writeAddress(link, how) {
  const { search } = window.location;
  const same = sameLink(link, search) || (link === `?v=${view.config.link_version}` && !search);
  if (same && !linkInFragment()) keepState(window.location.href);
  else keepState(link, how);
}

/**
 * @param {string} address
 * @param {"pushState" | "replaceState"} how
 */
export function keepState(address, how = "replaceState") {
  try {
    window.history[how]({ explorer: view.state }, "", address);
    written = window.location.search;
  } catch {
    // browsers refuse more than some hundred entries in half a minute: the link button still has the newest
  }
}

/** The browser went to an entry with a state. */
export function noteAddress() {
  written = window.location.search;
}

/** It went to an entry without one: a jump within the page, or an address typed by hand, whose link only the server reads. */
export function keepOrReload() {
  if (window.location.search === written && !linkInFragment()) keepState(window.location.href);
  else window.location.reload();
}
