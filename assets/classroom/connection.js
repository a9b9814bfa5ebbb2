// The line to the room: a stream down, or polling where a stream does not come through; actions up, sent again until they are answered.

import { Busy, Refused } from "../core/errors.js";
import { showTrouble } from "../core/notices.js";
import { pauseAfter, rest } from "../core/retry.js";
import { below } from "../core/server.js";

/** @import { Credential } from "../core/credential.js" */

/** @typedef {"live" | "polling" | "reconnecting" | "away"} Quality `away`: the room's store cannot be reached */
/** @typedef {{ v: number, now: number, role: "teacher" | "student", alias: string | null, parts: Record<string, any>, whole: boolean }} Message */
/** @typedef {{ received: (message: Message) => void, quality: (quality: Quality) => void, over: () => void }} Hearer */
/** @typedef {ReturnType<typeof connect>} Connection */

const FIRST_WITHIN = 5000; // ms for a stream's first message: some proxies hold it back
const SILENT = 12000; // ms without a sign of life, of which there is one every 5 s
const DIED_EARLY = 10000; // ms: two streams in a row that lived less do not come through
const STREAM_AGAIN = 60000; // ms of polling before a stream is tried again
const POLL_EVERY = 2000;
const HIDDEN_AFTER = 3000; // ms: a browser has six connections to a server for all its tabs
const LOST_AFTER = 10000;
const SAY_AFTER = 1500; // ms without a connection before the page says so
const ENTER_WITHIN = 35000; // ms: after many wrong codes from a network, its codes take turns (explorer/classroom/guesses.py)
const LONGEST_WAIT = 60; // seconds that a server can have an action wait

class Ended extends Error {}
class StoreAway extends Error {}
class NoStream extends Error {}

const SENTENCE = 400;

/** @param {Response} response */
async function sentence(response) {
  const plain = (response.headers.get("Content-Type") ?? "").startsWith("text/plain");
  return plain ? (await response.text()).trim().slice(0, SENTENCE) : "";
}

/** @param {string | null} text */
const secondsOf = (text) => (/^\s*\d+\s*$/.test(text ?? "") ? Math.min(LONGEST_WAIT, Math.max(1, Number(text))) : 2);

/**
 * Ask a route of rooms. Returns the response if it is a success, or 304.
 * @param {string} path
 * @param {RequestInit} options
 */
async function ask(path, options) {
  const response = await fetch(below(path), { cache: "no-store", ...options });
  if (response.ok || response.status === 304) return response;
  const said = await sentence(response);
  const { status } = response;
  if (status === 429 || (status === 503 && !said.includes("store"))) throw Object.assign(new Busy(secondsOf(response.headers.get("Retry-After"))), { said });
  if (status === 503) throw new StoreAway(said);
  if (said && status >= 400 && status < 500) throw Object.assign(new Refused(said, null), { status });
  throw new Error(`${status}`); // something else answers in the server's place
}

/**
 * Open or join a room.
 * @param {string} path
 * @param {object} body
 * @returns {Promise<Credential>}
 */
export async function enterBy(path, body) {
  const options = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal: AbortSignal.timeout(ENTER_WITHIN) };
  try {
    return await (await ask(path, options)).json();
  } catch (failure) {
    if (failure instanceof Refused) throw failure;
    const said = failure instanceof StoreAway ? failure.message : failure instanceof Busy ? /** @type {any} */ (failure).said : "";
    throw new Error(said || (navigator.onLine ? "The server could not be reached. Please try again." : "You are offline. Please try again."));
  }
}

/**
 * @param {Credential} credential
 * @param {Hearer} hearer
 */
export function connect(credential, hearer) {
  const headers = { Authorization: `Bearer ${credential.code}.${credential.token}` };
  let since = 0;
  let closed = false;
  let paused = false;
  let pausing = 0;
  let wake = () => {};
  let pollUntil = 0;
  let early = 0; // streams in a row that died early
  let failures = 0; // in a row
  let away = false; // the room's store, as the stream says
  let outage = false; // not the stream alone was lost: it is tried again as soon as anything is answered
  let saying = 0;
  let count = 0; // of actions
  /** @type {AbortController | null} */
  let listening = null;

  /** @param {Quality} quality */
  function tell(quality) {
    clearTimeout(saying);
    saying = 0;
    hearer.quality(quality);
  }

  function tellLost() {
    saying ||= window.setTimeout(() => tell("reconnecting"), SAY_AFTER);
  }

  function end() {
    if (closed) return;
    close();
    hearer.over();
  }

  function close() {
    closed = true;
    listening?.abort();
    clearTimeout(saying);
    clearTimeout(pausing);
    document.removeEventListener("visibilitychange", see);
    window.removeEventListener("offline", tellLost);
    wake();
  }

  function see() {
    clearTimeout(pausing);
    if (document.visibilityState === "hidden") {
      pausing = window.setTimeout(() => {
        paused = true;
        listening?.abort();
      }, HIDDEN_AFTER);
    } else if (paused) {
      paused = false;
      wake();
    }
  }

  /** @param {any} message */
  function take(message) {
    if (message.over) throw new Ended();
    if ("away" in message) {
      away = message.away;
      return;
    }
    const whole = since === 0 || message.v < since;
    since = message.v;
    hearer.received({ ...message, whole });
  }

  async function stream() {
    const stop = new AbortController();
    listening = stop;
    const began = performance.now();
    let silent = false;
    let heard = false;
    away = false;
    const giveUp = () => {
      silent = true;
      stop.abort();
    };
    let watch = window.setTimeout(giveUp, FIRST_WITHIN);
    try {
      const response = await ask("room/stream", { headers: { ...headers, Accept: "text/event-stream", "Room-Since": String(since) }, signal: stop.signal });
      if (!response.body || !(response.headers.get("Content-Type") ?? "").startsWith("text/event-stream")) throw new NoStream();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) throw new Error("the stream ended");
        text += value;
        const lines = text.split("\n");
        text = lines.pop() ?? "";
        for (const line of lines) {
          if (!line.startsWith("data:")) continue;
          take(JSON.parse(line.slice(5)));
          heard = true;
        }
        if (!heard) continue;
        tell(away ? "away" : "live"); // also where the stream outlived a loss of the network
        failures = 0;
        outage = false;
        clearTimeout(watch);
        watch = window.setTimeout(giveUp, SILENT);
      }
    } catch (failure) {
      if (silent && !heard) throw new NoStream();
      outage ||= silent;
      throw failure;
    } finally {
      clearTimeout(watch);
      stop.abort();
      listening = null;
      early = performance.now() - began < DIED_EARLY ? early + 1 : 0;
    }
  }

  async function poll() {
    const stop = new AbortController();
    listening = stop;
    const lost = window.setTimeout(() => stop.abort(), LOST_AFTER);
    try {
      const response = await ask("room/now", { headers: { ...headers, ...(since ? { "If-None-Match": `"${since}"` } : {}) }, signal: stop.signal });
      if (response.status !== 304) take(await response.json());
      failures = early = 0;
      if (outage) {
        outage = false;
        pollUntil = 0;
        return;
      }
      tell("polling");
    } finally {
      clearTimeout(lost);
      listening = null;
    }
    await rest(POLL_EVERY * (0.75 + Math.random() / 2), new Busy(0));
  }

  /** @param {unknown} failure */
  async function recover(failure) {
    const status = /** @type {any} */ (failure).status;
    if (failure instanceof Ended || status === 404 || status === 401) return end();
    if (failure instanceof StoreAway) tell("away");
    else tellLost();
    const polled = performance.now() < pollUntil;
    if (polled) {
      pollUntil = early = 0; // that way is no better: it was not the stream
      outage = true;
    } else if (failure instanceof NoStream || early >= 2) {
      pollUntil = performance.now() + STREAM_AGAIN;
      if (failure instanceof NoStream) return; // the server is there
    }
    await rest(pauseAfter(/** @type {Error} */ (failure), failures++), failure instanceof Busy ? failure : new Error());
  }

  async function run() {
    while (!closed) {
      if (paused) await new Promise((done) => (wake = () => done(null)));
      if (closed) return;
      try {
        await (performance.now() < pollUntil ? poll() : stream());
      } catch (failure) {
        if (!closed && !paused) await recover(failure);
        if (paused) early = 0;
      }
    }
  }

  /**
   * Send an action once. Throws Refused with the server's sentence; any other failure is worth another attempt.
   * @param {string} name
   * @param {Record<string, any>} body
   */
  async function sendOnce(name, body) {
    if (closed) throw new Refused("This room has ended.", null);
    const options = { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify({ do: name, ...body }), signal: AbortSignal.timeout(LOST_AFTER) };
    try {
      return await (await ask("room/do", options)).json();
    } catch (failure) {
      const status = /** @type {any} */ (failure).status;
      if (status === 404 || status === 401) end();
      throw failure;
    }
  }

  /** @type {Map<string, Promise<unknown>>} */
  const queues = new Map(); // actions of one name are done in the order in which they were sent

  /**
   * Send an action, again and again until it is answered.
   * @param {string} name
   * @param {Record<string, any>} [body]
   * @returns {Promise<any>}
   */
  function act(name, body = {}) {
    const before = queues.get(name) ?? Promise.resolve();
    const done = before.then(() => persist(name, body));
    queues.set(name, done.catch(() => null));
    return done;
  }

  /**
   * @param {string} name
   * @param {Record<string, any>} body
   */
  async function persist(name, body) {
    const who = `room ${++count}`;
    try {
      for (let before = 0; ; before++) {
        try {
          return await sendOnce(name, body);
        } catch (failure) {
          if (failure instanceof Refused) throw failure;
          const busy = failure instanceof Busy;
          const pause = busy ? 1000 * failure.seconds * (1 + Math.random() / 4) : pauseAfter(/** @type {Error} */ (failure), before);
          if (before || failure instanceof StoreAway || (busy && failure.seconds > 2)) showTrouble(who, whyNotSent(/** @type {Error} */ (failure), pause));
          await rest(pause, /** @type {Error} */ (failure));
        }
      }
    } finally {
      showTrouble(who, null);
    }
  }

  document.addEventListener("visibilitychange", see);
  window.addEventListener("offline", tellLost);
  run();
  return { act, sendOnce, close, isClosed: () => closed };
}

/**
 * @param {Error} failure
 * @param {number} pause in ms
 */
function whyNotSent(failure, pause) {
  const again = `What you sent is kept; it goes again in ${Math.ceil(pause / 1000)} s.`;
  if (failure instanceof Busy) return `${/** @type {any} */ (failure).said || "The room is busy just now."} ${again}`;
  if (failure instanceof StoreAway) return `The room’s store is away. ${again}`;
  return `${navigator.onLine ? "The room cannot be reached." : "You are offline."} ${again}`;
}
