// The session: the state and who may change it, questions to the server (one in flight, the newest pending), the
// address bar, Back and Forward, and what happens when the server is away.
(function () {
  "use strict";
  const explorer = (window.explorer = window.explorer || {});
  const { byId, element, view } = explorer;

  const LIVE_EVERY = 150; // ms between questions while a stroke lasts
  const STALE_AFTER = 300; // ms without an answer before the old numbers are dimmed
  const PATIENCE = 3000; // … before the page says that it waits
  const LOST_AFTER = 10000; // … before the request is given up and sent again
  const FIRST_RETRY = 400;
  const LAST_RETRY = 5000;

  let early = null; // what was changed before the first answer said which state the link means
  let asked = 0; // number of the newest question
  let waiting = null; // the question in flight
  let pending = false; // the state changed while it was
  let liveTimer = null;
  let dimming = null;

  // Fields that no number of the explanation depends on: changing them does not ask for it.
  const LOOKS = ["tab", "scale", "pinned", "options"];

  // ---- the state

  explorer.startSession = function () {
    early = {};
    window.addEventListener("popstate", (event) => travel(event.state && event.state.explorer));
    window.addEventListener("offline", () => showAway("You are offline."));
    window.addEventListener("online", () => waiting || showAway(null));
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
    ask(); // first: the browser is busy for a while with a new entry of its history
    writeAddress("pushState");
  };

  // What changed belongs to single methods: an entry in the browser's history, and no question from here.
  explorer.commitUnasked = () => writeAddress("pushState");

  explorer.isAsking = () => Boolean(waiting);

  // Only the looks changed: no question, and no new entry in the browser's history.
  explorer.commitLooks = () => writeAddress("replaceState");

  // Back and Forward: take over the state of that entry.
  function travel(state) {
    if (!state) {
      // an entry without a state: a jump within the page, or an address typed by hand, whose link only the server reads
      if (window.location.search === written) keepState(window.location.href);
      else window.location.reload();
      return;
    }
    const numbersMoved = Object.keys(state).some((key) => !LOOKS.includes(key) && !sameValue(state[key], view.state[key]));
    written = window.location.search;
    explorer.update(state);
    explorer.emit("adopted");
    if (numbersMoved) ask();
  }

  const sameValue = (a, b) => JSON.stringify(a) === JSON.stringify(b);

  // ---- the address

  let written = window.location.search; // the link that the address bar shows

  explorer.link = function (state = view.state) {
    const { config } = view;
    const parts = new URLSearchParams({ v: config.version });
    Object.entries(config.link).forEach(([name, key]) => {
      const value = state[name];
      if (sameValue(value, config.defaults[name]) || (name === "drawing" && value === null)) return;
      if (name === "pinned") parts.set(key, value.join(","));
      else if (name === "options") parts.set(key, optionsText(value));
      else if (Array.isArray(value)) {
        const { pattern } = explorer.pictureName(value);
        parts.set(name === "pixels" && !pattern ? "px" : key, pattern || encode(value));
      } else parts.set(key, typeof value === "boolean" ? String(Number(value)) : String(value));
    });
    return `?${parts}`;
  };

  // As state.py's _write_options.
  const optionsText = (options) =>
    Object.entries(options)
      .flatMap(([method, own]) => Object.entries(own).map(([name, value]) => `${method}.${name}:${typeof value === "boolean" ? Number(value) : value}`))
      .join(",");

  // As state.py's encode: how many levels less one, each level as two letters, a letter a pixel.
  function encode(pixels) {
    const { alphabet, levels } = view.config;
    const all = pixels.map((value) => Math.round(value * levels));
    const colours = [...new Set(all)];
    const letters = colours.map((level) => alphabet[Math.floor(level / 64)] + alphabet[level % 64]);
    return alphabet[colours.length - 1] + letters.join("") + all.map((level) => alphabet[colours.indexOf(level)]).join("");
  }

  function writeAddress(how) {
    if (early) return; // the link is still being read
    const link = explorer.link(view.state);
    const same = link === window.location.search || (link === `?v=${view.config.version}` && !window.location.search);
    if (same) keepState(window.location.href);
    else keepState(link, how);
  }

  function keepState(address, how = "replaceState") {
    try {
      window.history[how]({ explorer: view.state }, "", address);
      written = window.location.search;
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
    clearTimeout(dimming);
    dimming = setTimeout(showStale, STALE_AFTER, true);
    pursue();
  }

  // Ask until there is an answer; if the state moved on while there was none, ask for the newest.
  async function pursue() {
    let answer = null;
    let refusal = null;
    for (let tries = 0; !answer && !refusal; tries++) {
      try {
        answer = await put(waiting);
      } catch (failure) {
        if (failure instanceof explorer.Refused) refusal = failure;
        else await recover(tries);
      }
    }
    const opening = "link" in waiting;
    const state = opening && answer ? answer.state : waiting.state; // the state may have moved on
    over();
    if (refusal) explorer.notice(refusal.message); // however often it is asked: what is shown stays
    if (opening) open(answer || { state: view.config.defaults, notices: [] });
    if (answer) {
      view.asked = state;
      explorer.receive(answer);
    }
    if (pending || (opening && refusal)) send({ state: view.state });
  }

  async function put(question) {
    const stop = new AbortController();
    const lost = setTimeout(() => stop.abort(), LOST_AFTER);
    const slow = setTimeout(showAway, PATIENCE, "There is no answer yet.");
    try {
      return await explorer.askServer("explanation", "state", question, stop.signal);
    } finally {
      clearTimeout(lost);
      clearTimeout(slow);
    }
  }

  function over() {
    waiting = null;
    clearTimeout(dimming);
    showStale(false);
    showAway(null);
  }

  // The first answer says which state the link was read as. What was changed while waiting for it is kept.
  function open(answer) {
    const changed = Object.keys(early).length > 0;
    view.state = { ...answer.state, ...early };
    early = null;
    const count = view.config.networks[view.state.network].classes.length;
    if (view.state.target >= count) view.state.target = "predicted";
    explorer.noticeAll(answer.notices);
    explorer.emit("state", view.state);
    explorer.emit("adopted");
    if (changed || answer.notices.length) writeAddress("replaceState");
    else keepState(window.location.href);
  }

  // ---- when no answer comes

  async function recover(tries) {
    if (tries > 0) showAway(navigator.onLine ? "The server is away." : "You are offline."); // one failure may be a hiccup
    await rest(Math.min(LAST_RETRY, FIRST_RETRY * 2 ** tries));
    if (!pending || !waiting.state) return;
    pending = false;
    waiting = { ask: ++asked, state: view.state };
  }

  // With jitter, as a class must not come back as one; and at once when the network is back.
  function rest(pause) {
    return new Promise((done) => {
      const wake = () => {
        clearTimeout(timer);
        window.removeEventListener("online", wake);
        done();
      };
      const timer = setTimeout(wake, pause * (0.75 + Math.random() / 2));
      window.addEventListener("online", wake);
    });
  }

  // Numbers that no longer belong to the picture are dimmed until the new ones come.
  function showStale(stale) {
    ["stage", "facts"].forEach((id) => byId(id).setAttribute("aria-busy", String(stale)));
  }

  function showAway(why) {
    const shown = byId("away");
    if (!why) {
      if (shown) shown.remove();
      return;
    }
    const text = `${why} Your picture and settings are kept; reconnecting…`;
    if (shown) explorer.write(shown.firstChild, text);
    else byId("notices").append(element("div", { id: "away", class: "notice away" }, element("span", { text })));
  }

  explorer.showAway = showAway;

  // What was wrong with a link, all in one notice.
  explorer.noticeAll = function (texts) {
    if (texts.length === 1) explorer.notice(texts[0]);
    else if (texts.length) explorer.notice(element("ul", {}, ...texts.map((text) => element("li", { text }))));
  };

  explorer.notice = function (text) {
    const close = element("button", { type: "button", class: "btn-close", "aria-label": "Dismiss", onclick: () => box.remove() });
    const box = element("div", { class: "notice" }, element("div", {}, text), close);
    byId("notices").append(box);
  };
})();
