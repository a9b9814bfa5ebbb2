// The session: the state and who may change it, questions to the server (one in flight, the newest pending), the
// address bar, Back and Forward, and what happens when the server is away.
(function () {
  "use strict";
  const explorer = (window.explorer = window.explorer || {});
  const { byId, element, view } = explorer;

  const LIVE_EVERY = 150; // ms between questions while a stroke lasts
  const PATIENCE = 3000; // ms without an answer before the server's health is asked
  const LOST_AFTER = 10000; // ms after which an open request to a healthy server is given up
  const HANDED_ON = 1000; // ms that Dash may need to hand an answer on once it has arrived
  const FIRST_RETRY = 500;
  const LAST_RETRY = 5000;

  let early = null; // what was changed before the first answer said which state the link means
  let asked = 0; // number of the newest question
  let waiting = null; // the question in flight
  let pending = false; // the state changed while it was
  let liveTimer = null;
  let watch = null;
  let recovering = false;
  let tries = 0; // how often the question in flight was asked in vain

  // Fields that no number depends on: changing them asks the server nothing.
  const LOOKS = ["tab", "scale"];

  // ---- the state

  explorer.startSession = function () {
    early = {};
    window.addEventListener("popstate", (event) => travel(event.state && event.state.explorer));
    ["online", "offline"].forEach((event) => window.addEventListener(event, () => recover(waiting)));
    new PerformanceObserver(seeRequests).observe({ type: "resource" });
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
    tries = 0;
    waiting = { ask: ++asked, ...what };
    explorer.emit("asking");
    put();
  }

  // A new object each time, so that Dash asks again even if nothing in it changed.
  function put() {
    waiting = { ...waiting };
    waitingSince = performance.now();
    clearTimeout(watch);
    watch = setTimeout(lookAfter, PATIENCE, waiting);
    window.dash_clientside.set_props("state", { data: waiting });
  }
  let waitingSince = 0;

  explorer.answered = function (answer) {
    if (!answer || !waiting || answer.ask !== waiting.ask) return;
    const opening = "link" in waiting;
    view.asked = opening ? answer.state : waiting.state; // what these numbers belong to; the state may have moved on
    waiting = null;
    clearTimeout(watch);
    showAway(false);
    if (opening) open(answer);
    explorer.receive(answer);
    if (pending) send({ state: view.state });
  };

  // The first answer says which state the link was read as. What was changed while waiting for it is kept.
  function open(answer) {
    const changed = Object.keys(early).length > 0;
    view.state = { ...answer.state, ...early };
    early = null;
    const count = view.config.networks[view.state.network].classes.length;
    if (view.state.target >= count) view.state.target = "predicted";
    (answer.notices || []).forEach((text) => explorer.notice(text));
    explorer.emit("state", view.state);
    explorer.emit("adopted");
    if (changed || answer.notices.length) writeAddress("replaceState");
    else keepState(window.location.href);
  }

  // ---- when no answer comes

  // The browser tells of every finished request, the failed ones too: if Dash does not hand on an answer soon after, there
  // was none to hand on.
  function seeRequests(list) {
    const question = waiting;
    const ours = (entry) => entry.name.includes("_dash-update-component") && entry.startTime >= waitingSince;
    if (question && list.getEntries().some(ours)) setTimeout(() => waiting === question && recover(question), HANDED_ON);
  }

  // The request is still open: is the server there at all?
  async function lookAfter(question) {
    if (waiting !== question) return;
    const healthy = await isHealthy();
    if (waiting !== question) return;
    if (!healthy || performance.now() - waitingSince > LOST_AFTER) recover(question);
    else watch = setTimeout(lookAfter, PATIENCE, question);
  }

  // Wait until the server is healthy, then ask again what is still unanswered: the newest state, not the old one.
  async function recover(question) {
    if (recovering) return;
    recovering = true;
    let pause = Math.min(LAST_RETRY, FIRST_RETRY * 2 ** tries);
    if (tries > 0) await rest(pause);
    while (waiting === question) {
      if (await isHealthy()) break;
      showAway(true);
      await rest(pause);
      pause = Math.min(LAST_RETRY, 2 * pause);
    }
    recovering = false;
    if (waiting !== question) return;
    if (!question) {
      showAway(false);
      return;
    }
    if (tries > 1) showAway(true, true);
    tries++;
    if (pending && waiting.state) {
      pending = false;
      waiting = { ask: ++asked, state: view.state };
    }
    put();
  }

  // With jitter: a class must not come back as one.
  const rest = (pause) => new Promise((done) => setTimeout(done, pause * (0.75 + Math.random() / 2)));

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
