// The session: the state and who may change it, questions to the server (one in flight, the newest pending), the
// address bar, Back and Forward.
(function () {
  "use strict";
  const explorer = (window.explorer = window.explorer || {});
  const { byId, view } = explorer;

  const LIVE_EVERY = 150; // ms between questions while a stroke lasts …
  const LIVE_SHARE = 8; // … and so many times what the last answer took: what is only passing gives way where many ask
  const STALE_AFTER = 300; // ms without an answer before the old numbers are dimmed
  const LOST_AFTER = 10000; // … before the request is given up and sent again

  let patience;
  let early = null; // what was changed before the first answer said which state the link means
  let kept = null; // what the page took along when it was reloaded for a newer version
  let asked = 0; // number of the newest question
  let waiting = null; // the question that waits for its answer
  let pending = false; // the state changed while it was
  let liveTimer = null;
  let sent = 0; // when the question in flight was asked
  let took = 0; // ms until the last answer
  let dimming = null;

  const COMPLETE_WITHIN = 3000; // ms for what an answer that is saved still lacks
  const OFFLINE = "You are offline. Your picture and settings are kept; reconnecting…";

  // Fields that no number of the explanation depends on: changing them does not ask for it.
  const LOOKS = ["tab", "scale", "pinned", "options"];

  // The server said something that the page fails to show.
  explorer.Undrawn = class Undrawn extends Error {};

  // ---- the state

  explorer.startSession = function () {
    early = {};
    patience = new explorer.Patience("session");
    kept = explorer.takeKept();
    byId("stage").classList.add("opening");
    explorer.on("answer", () => byId("stage").classList.remove("opening"));
    explorer.on("answer", () => askForExact(view.state.tab));
    explorer.on("tab", askForExact);
    window.addEventListener("popstate", (event) => travel(event.state && event.state.explorer));
    window.addEventListener("offline", () => explorer.tellTrouble("network", OFFLINE));
    window.addEventListener("online", () => explorer.tellTrouble("network", null));
    explorer.hearVersion(view.config.build);
    send({ link: kept ? kept.link : explorer.addressed() });
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

  // What needs the exact path is answered only where a tab shows it: the first look at such a tab asks for it.
  function askForExact(tab) {
    if (view.answer && !view.answer.exact && view.config.exact_tabs.includes(tab)) ask();
  }

  // Fetch what the shown answer lacks, for whoever saves it; where that takes too long, it is saved as it is.
  explorer.completeAnswer = async function () {
    const { answer, asked: state } = view;
    if (answer.exact) return;
    const question = { ask: answer.ask, state: { ...state, tab: view.config.exact_tabs[0] } };
    try {
      const whole = await explorer.askServer("explanation", "state", question, AbortSignal.timeout(COMPLETE_WITHIN));
      if (view.answer === answer) explorer.receive(whole);
    } catch {
      // nothing else is lost
    }
  };

  explorer.isAsking = () => Boolean(waiting);

  // The link of what is seen; until the first answer only the address knows.
  explorer.currentLink = () => (early ? explorer.addressed() : explorer.link());

  // Query and fragment: some programs make the one of the other. The server tells a link from a place within the page.
  explorer.addressed = () => window.location.search + window.location.hash;

  // Only the looks changed: no question, and no new entry in the browser's history.
  explorer.commitLooks = () => writeAddress("replaceState");

  // Back and Forward: take over the state of that entry.
  function travel(state) {
    if (!state) {
      // an entry without a state: a jump within the page, or an address typed by hand, whose link only the server reads
      if (window.location.search === written && !linkInFragment()) keepState(window.location.href);
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
    const parts = new URLSearchParams();
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
    parts.set("v", config.version); // last, so that the server knows a link that was cut off
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
    const { search } = window.location;
    const same = saysTheSame(link, search) || (link === `?v=${view.config.version}` && !search);
    if (same && !linkInFragment()) keepState(window.location.href);
    else keepState(link, how);
  }

  // Whatever order the parts have.
  const saysTheSame = (link, other) => String([...new URLSearchParams(link)].sort()) === String([...new URLSearchParams(other)].sort());

  const linkInFragment = () => /=|%3d/i.test(window.location.hash);

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
    if (!liveTimer) liveTimer = setTimeout(ask, Math.max(LIVE_EVERY, LIVE_SHARE * took)); // a quick stroke is over by then and asks but once
  }

  function send(what) {
    pending = false;
    waiting = { ask: ++asked, ...what };
    sent = performance.now();
    clearTimeout(dimming);
    dimming = setTimeout(showStale, STALE_AFTER, true);
    explorer.emit("asking"); // whoever else asks steps back
    pursue();
  }

  // Ask until what is said can be shown; if the state moved on meanwhile, ask for the newest.
  async function pursue() {
    while (waiting) {
      const failure = await attempt(waiting);
      if (failure) await recover(failure);
      else waiting = null;
    }
    clearTimeout(dimming);
    showStale(false);
    patience.ends();
    if (pending) send({ state: view.state });
  }

  // Ask once, and show what is said; returns why there is nothing to be seen of it.
  async function attempt(question) {
    sent = performance.now(); // what went before was not this server's answer
    const { answer, refusal, failure } = await put(question);
    if (failure) return failure;
    took = performance.now() - sent;
    try {
      if (refusal) refused(refusal);
      else use(answer, question);
      return null;
    } catch (cause) {
      return undrawn(answer, cause);
    }
  }

  // The answer to an address without a link comes with the page; it serves once.
  function broughtAlong(question) {
    const { answer: text, build } = view.config;
    if (question.link !== "" || !text) return null;
    delete view.config.answer;
    const answer = { ...JSON.parse(text), ask: question.ask };
    explorer.noteOrigin(answer, build);
    return answer;
  }

  async function put(question) {
    const known = broughtAlong(question);
    if (known) return { answer: known };
    const stop = new AbortController();
    const lost = setTimeout(() => stop.abort(), LOST_AFTER);
    patience.asks();
    try {
      return { answer: await explorer.askServer("explanation", "state", question, stop.signal) };
    } catch (failure) {
      if (!(failure instanceof explorer.Refused)) return { failure };
      // a replica of the page's own version may well answer what another one refuses
      return explorer.isOther(failure.version) ? { failure: explorer.outdated() } : { refusal: failure };
    } finally {
      clearTimeout(lost);
    }
  }

  // However often it is asked: what is shown stays.
  function refused(refusal) {
    if (!early) return explorer.tellRefusal(refusal.message);
    open({ state: view.config.defaults });
    explorer.notice(refusal.message); // of the link: the numbers that come now do not settle it
    pending = true;
    return undefined;
  }

  // Have an answer drawn; where that fails, what was shown before comes back.
  function use(answer, question) {
    if (early) open(answer);
    const { answer: shown, asked: shownState, path, step } = view;
    try {
      view.asked = question.state || answer.state; // the page's own state may have moved on
      explorer.receive(answer);
    } catch (failure) {
      Object.assign(view, { answer: shown, asked: shownState, path, step });
      if (shown) explorer.receive(shown);
      throw failure;
    }
    explorer.tellRefusal(null);
  }

  // An answer that cannot be drawn is as good as none. Another replica may be of the page's own version; where this one is,
  // the page itself is wrong, and whoever looks into it shall see how.
  function undrawn(answer, cause) {
    pending = pending || !early; // it may be just this state that cannot be shown
    if (explorer.isForeign(answer)) return explorer.outdated();
    window.reportError(cause);
    return new explorer.Undrawn("The answer could not be shown.");
  }

  // The first answer says which state the link was read as. Where that cannot be shown, the page is as unopened as before.
  function open(answer) {
    const [unread, opening] = [early, view.state];
    try {
      adopt(answer);
    } catch (failure) {
      early = unread;
      view.state = opening;
      throw failure;
    }
  }

  // What was changed while waiting for the first answer is kept.
  function adopt({ state: read, notices = null }) {
    const state = { ...read, ...early };
    const known = notices || kept || Object.keys(early).length; // a link that was refused is still there to be tried again
    if (state.target >= view.config.networks[state.network].classes.length) state.target = "predicted";
    view.state = state;
    early = null;
    explorer.emit("state", view.state);
    explorer.emit("adopted");
    if (known) writeAddress("replaceState");
    else keepState(window.location.href);
    if (kept) explorer.adoptPaintingHistory(kept.painting);
    kept = null;
    explorer.noticeAll(notices || []);
  }

  // ---- when no answer comes

  // Wait, and ask then for the newest state; what is pending needs no question of its own.
  async function recover(failure) {
    await explorer.rest(patience.fails(failure), failure);
    if (!pending || early) return;
    pending = false;
    waiting = { ask: ++asked, state: view.state };
  }

  // Numbers that no longer belong to the picture are dimmed until the new ones come.
  function showStale(stale) {
    ["stage", "facts", "sees"].forEach((id) => byId(id).setAttribute("aria-busy", String(stale)));
    if (!stale || view.answer) return;
    explorer.write(byId("sees"), "Opening…");
    explorer.write(byId("words"), "The page is opening: the first numbers are on their way.");
  }
})();
