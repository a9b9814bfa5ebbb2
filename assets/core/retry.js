// How the page waits for an answer that does not come: how long before it asks again, and when it says so. Every pause is
// drawn at random, so that 300 pages do not ask again at the same moment.

import { Busy, Outdated, RenderError, UnexpectedResponse } from "./errors.js";
import { showTrouble } from "./notices.js";

const QUIET = 3000; // ms without an answer before the page says that it waits
const AWAY = { first: 400, most: 5000 }; // ms before asking again, doubled each time
const LONG_AWAY = { tries: 12, most: 15000 }; // after about a minute
const UNEXPECTED = { first: 5000, most: 60000 }; // somebody has to mend it
const BUSY = { growth: 1.5, most: 15000 };
const BACK_WITHIN = 1000; // ms, when the network of the whole room is back
const KEPT = "Your picture and settings are kept";

const between = (/** @type {number} */ low, /** @type {number} */ high) => low + Math.random() * (high - low);

/**
 * How long to wait, in ms.
 * @param {Error} failure
 * @param {number} before how many failures in a row came before this one
 */
export function pauseAfter(failure, before) {
  if (failure instanceof Busy) {
    const pause = Math.min(BUSY.most, 1000 * failure.seconds * BUSY.growth ** before);
    return between(pause, 2 * pause);
  }
  const slow = failure instanceof UnexpectedResponse || failure instanceof Outdated;
  const { first, most } = slow ? UNEXPECTED : AWAY;
  const limit = !slow && before >= LONG_AWAY.tries ? LONG_AWAY.most : most;
  return Math.min(limit, first * 2 ** before) * between(0.75, 1.25);
}

/**
 * Wait so long; less where the network had gone and is back.
 * @param {number} pause in ms
 * @param {Error} failure
 * @returns {Promise<void>}
 */
export function rest(pause, failure) {
  return new Promise((done) => {
    const end = () => {
      clearTimeout(timer);
      window.removeEventListener("online", wake);
      done();
    };
    const wake = () => {
      clearTimeout(timer);
      timer = window.setTimeout(end, between(0, BACK_WITHIN));
    };
    let timer = window.setTimeout(end, pause);
    if (!(failure instanceof Busy)) window.addEventListener("online", wake);
  });
}

/** @param {Error} failure */
function sentenceFor(failure) {
  if (failure instanceof Outdated) return null; // that notice has a button, see panels/newer_version.js
  if (failure instanceof Busy) return `Many are asking just now; the numbers come as soon as there is room. ${KEPT}.`;
  if (failure instanceof UnexpectedResponse || failure instanceof RenderError) return `${failure.message} ${KEPT}; trying again…`;
  return `${navigator.onLine ? "The server is away." : "You are offline."} ${KEPT}; reconnecting…`;
}

/** One wait for answers, with its count of failures: for the explanation, or for single methods. */
export class Retry {
  /** @param {string} who waits */
  constructor(who) {
    this.who = who;
    this.failures = 0; // in a row
    /** @type {number | null} */
    this.since = null; // when the wait began
    /** @type {string | null} */
    this.sentence = null; // why it lasts, if that is known
    this.timer = 0;
  }

  /** Something is asked, for the first time or again. */
  begin() {
    this.since ??= performance.now();
    if (!this.failures) this.sentence = `There is no answer yet. ${KEPT}; reconnecting…`;
    this.#sayInTime(this.since);
  }

  /**
   * There is no answer; returns how long to wait before asking again, in ms.
   * @param {Error} failure
   */
  fail(failure) {
    this.sentence = sentenceFor(failure);
    if (this.failures === 0 || failure instanceof Busy) this.#sayInTime(this.since ?? performance.now());
    else this.#say();
    const pause = this.pause(failure);
    this.failures++;
    return pause;
  }

  /** @param {Error} failure */
  pause(failure) {
    return pauseAfter(failure, this.failures);
  }

  /** An answer came. */
  succeed() {
    this.failures = 0;
    this.stop();
  }

  /** Nothing is waited for any more; a server that was busy or away still is. */
  stop() {
    this.since = null;
    clearTimeout(this.timer);
    showTrouble(this.who, null);
  }

  /** @param {number} since */
  #sayInTime(since) {
    clearTimeout(this.timer);
    const left = since + QUIET - performance.now();
    if (left > 0) this.timer = window.setTimeout(() => this.#say(), left);
    else this.#say();
  }

  #say() {
    clearTimeout(this.timer);
    showTrouble(this.who, this.sentence);
  }
}
