// How the page waits for an answer that does not come: how long before it asks again, and when it says so. Every pause is
// drawn at random, as a hall of 300 must not come back as one.
(function () {
  "use strict";
  const explorer = (window.explorer = window.explorer || {});

  const QUIET = 3000; // ms without an answer before the page says that it waits
  const AWAY = { first: 400, most: 5000 }; // ms before asking again, doubled each time
  const LONG_AWAY = { tries: 12, most: 15000 }; // after about a minute it is no hiccup
  const ASTRAY = { first: 5000, most: 60000 }; // whatever it is, somebody has to mend it
  const BUSY = { growth: 1.5, most: 15000 };
  const BACK_WITHIN = 1000; // ms, when the network of the whole room is back
  const KEPT = "Your picture and settings are kept";

  const between = (low, high) => low + Math.random() * (high - low);

  // How long to wait after so many failures in a row before this one.
  explorer.pauseAfter = function (failure, before) {
    if (failure instanceof explorer.Busy) {
      const pause = Math.min(BUSY.most, 1000 * failure.seconds * BUSY.growth ** before);
      return between(pause, 2 * pause);
    }
    const slow = failure instanceof explorer.Astray || failure instanceof explorer.Outdated;
    const { first, most } = slow ? ASTRAY : AWAY;
    const limit = !slow && before >= LONG_AWAY.tries ? LONG_AWAY.most : most;
    return Math.min(limit, first * 2 ** before) * between(0.75, 1.25);
  };

  // Wait so long; less where the network had gone and is back.
  explorer.rest = function (pause, failure) {
    return new Promise((done) => {
      const end = () => {
        clearTimeout(timer);
        window.removeEventListener("online", wake);
        done();
      };
      const wake = () => {
        clearTimeout(timer);
        timer = setTimeout(end, between(0, BACK_WITHIN));
      };
      let timer = setTimeout(end, pause);
      if (!(failure instanceof explorer.Busy)) window.addEventListener("online", wake);
    });
  };

  function wordsFor(failure) {
    if (failure instanceof explorer.Outdated) return null; // that notice has a button, see version.js
    if (failure instanceof explorer.Busy) return `Many are asking just now; the numbers come as soon as there is room. ${KEPT}.`;
    if (failure instanceof explorer.Astray || failure instanceof explorer.Undrawn) return `${failure.message} ${KEPT}; trying again…`;
    return `${navigator.onLine ? "The server is away." : "You are offline."} ${KEPT}; reconnecting…`;
  }

  // One who waits: for the explanation, or for single methods.
  explorer.Patience = class Patience {
    constructor(who) {
      this.who = who;
      this.failures = 0; // in a row
      this.since = null; // when the wait began
      this.words = null; // why it lasts, if that is known
      this.timer = null;
    }

    // Something is asked, for the first time or again.
    asks() {
      if (this.since === null) this.since = performance.now();
      if (!this.failures) this.words = `There is no answer yet. ${KEPT}; reconnecting…`;
      this.sayInTime();
    }

    // Nothing came of it; returns how long to wait before asking again.
    fails(failure) {
      this.words = wordsFor(failure);
      const hiccup = this.failures === 0 || failure instanceof explorer.Busy;
      if (hiccup) this.sayInTime();
      else this.say();
      return explorer.pauseAfter(failure, this.failures++);
    }

    // An answer came.
    ends() {
      this.failures = 0;
      this.forgets();
    }

    // Nobody waits any more; a server that was busy or away still is.
    forgets() {
      this.since = null;
      clearTimeout(this.timer);
      explorer.tellTrouble(this.who, null);
    }

    sayInTime() {
      clearTimeout(this.timer);
      const left = this.since + QUIET - performance.now();
      if (left > 0) this.timer = setTimeout(() => this.say(), left);
      else this.say();
    }

    say() {
      clearTimeout(this.timer);
      explorer.tellTrouble(this.who, this.words);
    }
  };
})();
