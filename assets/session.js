// The session: the state and who may change it, questions to the server (one in flight, the newest pending), the
// address bar, Back and Forward, and what happens when the server is away.
(function () {
  "use strict";
  const explorer = (window.explorer = window.explorer || {});
  const { byId, element, view } = explorer;

  const LIVE_EVERY = 150; // ms between questions while a stroke lasts
  const PATIENCE = 1500; // ms without an answer before the server's health is asked
  const FIRST_RETRY = 500;
  const LAST_RETRY = 5000;
  const MOST_RESENDS = 5; // to a healthy server that still does not answer this question

  let early = null; // what was changed before the first answer said which state the link means
  let asked = 0; // number of the newest question
  let waiting = null; // the question in flight
  let pending = false; // the state changed while it was
  let liveTimer = null;
  let watch = null;
  let retry = FIRST_RETRY;
  let resends = 0;

  // Fields that no number depends on: changing them asks the server nothing.
  const LOOKS = ["tab", "scale"];

  // ---- the state

  explorer.startSession = function () {
    early = {};
    window.addEventListener("popstate", (event) => adopt(event.state && event.state.explorer));
    window.addEventListener("online", () => waiting && probe());
    window.addEventListener("offline", () => showAway(true));
    send({ link: window.location.search });
  };

  // Change the state. Numbers are asked for later, by commit(); `live` changes are asked for now and then meanwhile.
  explorer.update = function (patch, { live = false } = {}) {
    view.state = { ...view.state, ...patch };
    if (early) Object.assign(early, patch);
    explorer.emit("state", patch);
    if (live) askLive();
  };

  // A change is finished: put it into the address and ask for its numbers.
  explorer.commit = function () {
    writeAddress("pushState");
    ask();
  };

  // Only the looks changed: no question, and no new entry in the browser's history.
  explorer.commitLooks = () => writeAddress("replaceState");

  // Take over a whole state, from a link or from the browser's history.
  function adopt(state) {
    if (!state) {
      window.location.reload(); // an address typed by hand, whose link only the server reads
      return;
    }
    const numbersMoved = Object.keys(state).some((key) => !LOOKS.includes(key) && !sameValue(state[key], view.state[key]));
    explorer.update(state);
    explorer.emit("adopted");
    if (numbersMoved) ask();
  }

  const sameValue = (a, b) => JSON.stringify(a) === JSON.stringify(b);

  // ---- the address

  explorer.link = function () {
    const { config, state } = view;
    const parts = new URLSearchParams({ v: config.version });
    Object.entries(config.link).forEach(([name, key]) => {
      const value = state[name];
      if (sameValue(value, config.defaults[name]) || (name === "drawing" && value === null)) return;
      if (Array.isArray(value)) {
        const { pattern } = explorer.pictureName(value);
        parts.set(name === "pixels" && !pattern ? "px" : key, pattern || encode(value));
      } else parts.set(key, typeof value === "boolean" ? String(Number(value)) : String(value));
    });
    return `?${parts}`;
  };

  // As state.py's encode: how many levels less one, each level as two letters, a letter a pixel.
  function encode(pixels) {
    const { alphabet, levels } = view.config;
    const all = pixels.map((value) => Math.round(value * levels));
    const colours = [...new Set(all)];
    const letters = colours.map((level) => alphabet[Math.floor(level / 64)] + alphabet[level % 64]);
    return alphabet[colours.length - 1] + letters.join("") + all.map((level) => alphabet[colours.indexOf(level)]).join("");
  }

  function writeAddress(how) {
    const link = explorer.link();
    const changed = link !== window.location.search && !(link === `?v=${view.config.version}` && !window.location.search);
    const address = changed ? link : window.location.href;
    try {
      window.history[changed ? how : "replaceState"]({ explorer: view.state }, "", address);
    } catch {
      // browsers refuse more than some hundred entries in half a minute: the link button still has the newest
    }
  }

  // ---- questions and answers

  function ask() {
    clearTimeout(liveTimer);
    liveTimer = null;
    if (waiting) pending = true;
    else send({ state: view.state });
  }

  function askLive() {
    if (!liveTimer) liveTimer = setTimeout(ask, LIVE_EVERY); // a quick stroke is over by then and asks but once
  }

  function send(what) {
    pending = false;
    waiting = { ask: ++asked, ...what };
    clearTimeout(watch);
    watch = setTimeout(probe, PATIENCE);
    explorer.emit("asking");
    window.dash_clientside.set_props("state", { data: waiting });
  }

  explorer.answered = function (answer) {
    if (!answer || !waiting || answer.ask !== waiting.ask) return;
    const opening = "link" in waiting;
    view.asked = opening ? answer.state : waiting.state; // what these numbers belong to; the state may have moved on
    waiting = null;
    clearTimeout(watch);
    retry = FIRST_RETRY;
    resends = 0;
    showAway(false);
    if (opening) open(answer);
    explorer.receive(answer);
    if (pending) send({ state: view.state });
  };

  // The first answer says which state the link was read as. What was changed while waiting for it is kept.
  function open(answer) {
    view.state = { ...answer.state, ...early };
    early = null;
    (answer.notices || []).forEach((text) => explorer.notice(text));
    explorer.emit("state", view.state);
    explorer.emit("adopted");
    if ((answer.notices || []).length) writeAddress("replaceState");
    else window.history.replaceState({ explorer: view.state }, "", window.location.href);
  }

  // ---- when no answer comes

  async function probe() {
    clearTimeout(watch);
    if (!waiting) return;
    const healthy = await isHealthy();
    if (!waiting) return;
    if (healthy && resends < MOST_RESENDS) {
      resends++;
      watch = setTimeout(probe, PATIENCE * 2 ** resends);
      resend();
      return;
    }
    showAway(true, healthy);
    watch = setTimeout(probe, retry * (0.75 + Math.random() / 2)); // jitter: a class must not come back as one
    retry = Math.min(LAST_RETRY, 2 * retry);
    if (healthy) resends = 0;
  }

  function resend() {
    const what = "link" in waiting ? { link: waiting.link } : { state: view.state };
    if (what.state) pending = false;
    waiting = { ask: ++asked, ...what };
    window.dash_clientside.set_props("state", { data: waiting });
  }

  async function isHealthy() {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), 3000);
    try {
      const base = JSON.parse(byId("_dash-config").textContent).requests_pathname_prefix;
      return (await fetch(`${base}healthz`, { cache: "no-store", signal: stop.signal })).ok;
    } catch {
      return false;
    } finally {
      clearTimeout(timer);
    }
  }

  function showAway(away, healthy) {
    const shown = byId("away");
    if (!away) {
      if (shown) shown.remove();
      return;
    }
    const text = healthy
      ? "The server does not answer this question. Your picture is kept; trying again…"
      : "The server is away. Your picture and settings are kept; reconnecting…";
    if (shown) shown.firstChild.textContent = text;
    else byId("notices").append(element("div", { id: "away", class: "notice away" }, element("span", { text })));
  }

  explorer.notice = function (text) {
    const close = element("button", { type: "button", class: "btn-close", "aria-label": "Dismiss", onclick: () => box.remove() });
    const box = element("div", { class: "notice" }, element("span", { text }), close);
    byId("notices").append(box);
  };
})();
