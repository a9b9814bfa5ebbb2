// By which secret this tab is in a room: kept for the tab alone, so that a reload is the same student again.

/** @typedef {{ code: string, token: string, role: "teacher" | "student", alias?: string | null, away?: boolean }} Credential `away`: the student has let go */

const KEY = "explorer-room";

/** @returns {Credential | null} */
export function keptCredential() {
  try {
    const kept = JSON.parse(window.sessionStorage.getItem(KEY) ?? "null");
    return kept?.code && kept.token ? kept : null;
  } catch {
    return null;
  }
}

/**
 * Keep it, or forget it. Returns whether that worked: where storage is refused, it lasts as long as the page.
 * @param {Credential | null} credential
 */
export function keepCredential(credential) {
  try {
    if (credential) window.sessionStorage.setItem(KEY, JSON.stringify(credential));
    else window.sessionStorage.removeItem(KEY);
    return true;
  } catch {
    return false;
  }
}
