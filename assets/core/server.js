// How the page asks its server: Dash's callbacks, by a request of its own. A write into one of Dash's stores would ask the
// same, but its renderer then visits every component of the page (30 to 40 ms a stroke), and it hides the status that
// tells a refusal from a server that is busy, away or newer than the page.

import { byId } from "./dom.js";
import { Busy, Refused, UnexpectedResponse } from "./errors.js";
import { hearVersion, isOther, noteOrigin, outdated } from "./version.js";

const MOST_SECONDS = 10; // that a busy server can have the page wait at first
const DEFAULT_SECONDS = 2; // where a busy server does not say
const LONGEST_SENTENCE = 400;

/**
 * The address of something that the server has, wherever a proxy puts it.
 * @param {string} path
 */
export const below = (path) => JSON.parse(byId("_dash-config").textContent).requests_pathname_prefix + path;

/** @typedef {(output: string, question: any, signal: AbortSignal) => Promise<any>} Source resolves to null for what it does not have */
/** @type {Source | null} */
let elsewhere = null;

/**
 * Where answers are looked for before the server is asked, as in a class; null: nowhere.
 * @param {Source | null} source
 */
export function answersFrom(source) {
  elsewhere = source;
}

/**
 * Ask the callback that answers `input.data` with `output.data`, an answer that is JSON in a string.
 * @param {string} output
 * @param {string} input
 * @param {{ ask: number }} question
 * @param {AbortSignal} signal
 */
export async function askServer(output, input, question, signal) {
  const known = await elsewhere?.(output, question, signal);
  if (known) return { ...known, ask: question.ask };
  const body = {
    output: `${output}.data`,
    outputs: { id: output, property: "data" },
    inputs: [{ id: input, property: "data", value: question }],
    changedPropIds: [`${input}.data`],
  };
  const response = await fetch(below("_dash-update-component"), {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  const version = response.headers.get("X-Explorer-Version");
  hearVersion(version);
  if (!response.ok) throw await failureOf(response, version);
  const answer = read(await response.text(), output, question, version);
  noteOrigin(answer, version);
  return answer;
}

/**
 * @param {Response} response
 * @param {string | null} version
 */
async function failureOf(response, version) {
  const { status, headers } = response;
  if (status === 400 || status === 413) return new Refused(await sentenceOf(response), version);
  if (status === 503 || status === 429) return new Busy(secondsOf(headers.get("Retry-After")));
  if (status > 500 || status === 408) return new Error(`${status}`); // a proxy that does not reach the server
  if (status === 500) return new UnexpectedResponse("Something went wrong on the server.");
  return new UnexpectedResponse(`Something else answers in the server’s place (${status}).`);
}

/**
 * The server's refusals are plain text; what stands before it may send a page of its own.
 * @param {Response} response
 */
async function sentenceOf(response) {
  const plain = (response.headers.get("Content-Type") ?? "").startsWith("text/plain");
  const text = plain ? (await response.text()).trim() : "";
  return text ? text.slice(0, LONGEST_SENTENCE) : `The question was refused (${response.status}).`;
}

/**
 * Whole seconds, as this server says it; a date is another clock's, and anything else is broken.
 * @param {string | null} text
 */
export function secondsOf(text) {
  if (!/^\s*\d+\s*$/.test(text ?? "")) return DEFAULT_SECONDS;
  return Math.min(MOST_SECONDS, Math.max(1, Number(text)));
}

/**
 * Not JSON with status 200 is what a hotspot's sign-in page looks like: the server is not reached then.
 * @param {string} text
 * @param {string} output
 * @param {{ ask: number }} question
 * @param {string | null} version
 */
function read(text, output, question, version) {
  try {
    const answer = JSON.parse(JSON.parse(text).response[output].data);
    if (answer.ask !== question.ask) throw new Error("this answers another question");
    return answer;
  } catch (failure) {
    throw isOther(version) ? outdated() : failure;
  }
}
