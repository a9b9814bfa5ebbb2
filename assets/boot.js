// The one classic script: it loads the modules, has Dash's callbacks wait for them, and watches whether the page opens. When a
// file or Dash's layout does not come, it says so and tries again by itself, for there is nothing yet that a reload could
// lose. It needs no module for that, as any of them may be the one that is missing.
(() => {
  "use strict";

  const LOOK_EVERY = 250;
  const SLOW = 15000; // ms after the files, for a layout on a weak network, and as much more for each attempt before
  const FIRST_PAUSE = 2000;
  const MOST_PAUSE = 60000;
  const LOST_AFTER = 10000;
  const KEY = "explorer-openings"; // how often in a row this tab tried
  let broken = false; // a file did not come, or the page's own start failed
  let started = false;
  /** @type {HTMLElement | null} */
  let message = null;

  // ---- the modules, and the functions that Dash calls

  // In a sandboxed iframe this script has another origin than the page, and no address that imports could be relative to.
  const { src } = /** @type {HTMLScriptElement} */ (document.currentScript);
  /** @type {Promise<{ modules: { "main.js": typeof import("./main.js") } }>} */
  const loaded = import(new URL("explorer.js", src).href); // all modules in one file, see modules.py
  const main = loaded.then(({ modules }) => modules["main.js"]);
  main.catch(() => (broken = true));

  // A clientside callback may answer with a promise: Dash waits for it.
  window.dash_clientside = {
    ...window.dash_clientside,
    explorer: {
      start: async (/** @type {string} */ config) => {
        const { start } = await main;
        try {
          start(JSON.parse(config), isThere);
          started = true;
        } catch (failure) {
          broken = true;
          throw failure;
        }
        return noUpdate();
      },
      controlsChanged: async (...values) => {
        const context = window.dash_clientside.callback_context; // Dash deletes its own reference meanwhile
        (await main).controlsChanged(values, context);
        return noUpdate();
      },
      scaleChanged: async (scale) => {
        (await main).scaleChanged(scale);
        return noUpdate();
      },
    },
  };

  const noUpdate = () => window.dash_clientside.no_update;

  // ---- whether the page opens

  // Errors of elements do not bubble, so they are caught on their way down.
  const onError = (/** @type {Event} */ { target }) => {
    if (target instanceof HTMLScriptElement || target instanceof HTMLLinkElement) broken = true;
  };
  window.addEventListener("error", onError, true);
  window.addEventListener("load", look);

  async function look() {
    const attempts = attemptsBefore();
    const end = performance.now() + SLOW * (1 + attempts);
    while (!isOpen() && !isLost() && performance.now() < end) await rest(LOOK_EVERY);
    if (!isOpen()) {
      say(isLost() ? "The page could not be opened: the server is busy or away." : "The page takes long to open: the server or the network is busy.");
      await recover(attempts);
    }
    opened();
  }

  const isStyled = () => Boolean(getComputedStyle(document.documentElement).getPropertyValue("--paper"));
  const isOpen = () => started && !broken && isStyled();

  // Whether waiting cannot help: a file is missing, Dash gave up, or the page's own start did.
  const isLost = () => broken || !isStyled() || !window.DashRenderer || Boolean(document.querySelector("._dash-error"));

  /**
   * Load the page again, when it is there to be loaded; it may also open late after all.
   * @param {number} attempts
   */
  async function recover(attempts) {
    for (let tries = attempts; !isOpen(); tries++) {
      const pause = Math.min(MOST_PAUSE, FIRST_PAUSE * 2 ** tries);
      await rest(pause * (1 + Math.random())); // 300 pages must not come back at once
      if (isOpen()) return;
      if (await isThere()) {
        remember(tries + 1);
        window.location.reload();
        await new Promise(() => {});
      }
    }
  }

  // Whether there is a page to be loaded: a browser's own error page would be all that is left of this one.
  async function isThere() {
    const stop = new AbortController();
    const lost = setTimeout(() => stop.abort(), LOST_AFTER);
    try {
      return (await fetch(window.location.pathname, { method: "HEAD", cache: "no-store", signal: stop.signal })).ok;
    } catch {
      return false;
    } finally {
      clearTimeout(lost);
    }
  }

  function say(/** @type {string} */ why) {
    message = document.createElement("div");
    message.className = "unopened";
    message.setAttribute("role", "alert");
    const text = document.createElement("p");
    text.textContent = `${why} Your link keeps its picture and settings; trying again…`;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-sm btn-outline-secondary";
    button.textContent = "Try now";
    button.addEventListener("click", () => window.location.reload());
    message.append(text, button);
    document.body.append(message);
  }

  function opened() {
    window.removeEventListener("error", onError, true);
    message?.remove();
    remember(0);
  }

  const rest = (/** @type {number} */ pause) => new Promise((done) => setTimeout(done, pause));

  function attemptsBefore() {
    try {
      return Math.min(10, Number(window.sessionStorage.getItem(KEY)) || 0);
    } catch {
      return 3; // storage is refused in some iframes: slow from the start then
    }
  }

  function remember(/** @type {number} */ attempts) {
    try {
      if (attempts) window.sessionStorage.setItem(KEY, String(attempts));
      else window.sessionStorage.removeItem(KEY);
    } catch {
      // see above
    }
  }
})();
