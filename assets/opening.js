// When the page does not open, as a file or Dash's layout did not come: it says so and tries again by itself, for there is
// nothing yet that a reload could lose. It needs no other script, as any of them may be the one that is missing.
(function () {
  "use strict";
  const explorer = (window.explorer = window.explorer || {});

  const LOOK_EVERY = 250;
  const SLOW = 15000; // ms after the files, for a layout on a weak network, and as much more for each attempt before
  const FIRST_PAUSE = 2000;
  const MOST_PAUSE = 60000;
  const LOST_AFTER = 10000;
  const KEY = "explorer-openings"; // how often in a row this tab tried
  let broken = false; // a file did not come
  let told = null;

  // Errors of elements do not bubble, so they are caught on their way down.
  const onError = (event) => (broken = broken || (event.target !== window && ["SCRIPT", "LINK"].includes(event.target.tagName)));
  window.addEventListener("error", onError, true);
  window.addEventListener("load", look);

  async function look() {
    const attempts = attemptsBefore();
    const end = performance.now() + SLOW * (1 + attempts);
    while (!isOpen() && !isLost() && performance.now() < end) await rest(LOOK_EVERY);
    if (!isOpen()) {
      tell(isLost() ? "The page could not be opened: the server is busy or away." : "The page takes long to open: the server or the network is busy.");
      await recover(attempts);
    }
    opened();
  }

  const isStyled = () => Boolean(getComputedStyle(document.documentElement).getPropertyValue("--paper"));
  const isOpen = () => Boolean(explorer.started) && !broken && isStyled();

  // Whether waiting cannot help: a file is missing, Dash gave up, or the page's own start did.
  function isLost() {
    const begun = explorer.view && explorer.view.config && !explorer.started;
    return broken || !isStyled() || begun || !explorer.view || !window.DashRenderer || !window.Plotly || Boolean(document.querySelector("._dash-error"));
  }

  // Load the page again, when it is there to be loaded; it may also open late after all.
  async function recover(attempts) {
    for (let tries = attempts; !isOpen(); tries++) {
      const pause = Math.min(MOST_PAUSE, FIRST_PAUSE * 2 ** tries);
      await rest(pause * (1 + Math.random())); // a hall must not come back as one
      if (isOpen()) return;
      if (await explorer.isThere()) {
        remember(tries + 1);
        window.location.reload();
        return new Promise(() => {});
      }
    }
    return undefined;
  }

  // Whether there is a page to be loaded: a browser's own error page would be all that is left of this one.
  explorer.isThere = async function () {
    const stop = new AbortController();
    const lost = setTimeout(() => stop.abort(), LOST_AFTER);
    try {
      return (await fetch(window.location.pathname, { method: "HEAD", cache: "no-store", signal: stop.signal })).ok;
    } catch {
      return false;
    } finally {
      clearTimeout(lost);
    }
  };

  function tell(why) {
    told = document.createElement("div");
    told.className = "unopened";
    told.setAttribute("role", "alert");
    const text = document.createElement("p");
    text.textContent = `${why} Your link keeps its picture and settings; trying again…`;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-sm btn-outline-secondary";
    button.textContent = "Try now";
    button.addEventListener("click", () => window.location.reload());
    told.append(text, button);
    document.body.append(told);
  }

  function opened() {
    window.removeEventListener("error", onError, true);
    if (told) told.remove();
    remember(0);
  }

  const rest = (pause) => new Promise((done) => setTimeout(done, pause));

  function attemptsBefore() {
    try {
      return Math.min(10, Number(window.sessionStorage.getItem(KEY)) || 0);
    } catch {
      return 3; // storage is refused in some iframes: slow from the start then
    }
  }

  function remember(attempts) {
    try {
      if (attempts) window.sessionStorage.setItem(KEY, String(attempts));
      else window.sessionStorage.removeItem(KEY);
    } catch {
      // see above
    }
  }
})();
