// Playback of Integrated Gradients: everything it shows is in the last answer, so it never asks the server.

import { byId, inputById, isTyping, keyOf, write } from "../core/dom.js";
import { emit, on } from "../core/events.js";
import { choosePixel, hasAnswer, setStep, view } from "../core/store.js";
import { showTab } from "./tabs.js";

const LONGEST_FRAME = 500; // ms: after more than this nobody was looking, and the time does not count
const LOOP_REST = 1; // seconds that the finished map is seen before it starts again

let playing = false;
let looping = false;
let position = 0; // the step as a real number, so that slow speeds and fast screens both work
/** @type {number | null} */
let lastFrame = null;

export function startPlayback() {
  byId("play").addEventListener("click", () => press(!playing));
  byId("to-start").addEventListener("click", () => goToStep(0));
  byId("to-end").addEventListener("click", () => goToStep(Infinity));
  byId("step-back").addEventListener("click", () => goToStep(view.step - 1));
  byId("step-forward").addEventListener("click", () => goToStep(view.step + 1));
  byId("loop").addEventListener("click", () => {
    setLooping(!looping);
    emit("playhead");
  });
  byId("speed").addEventListener("input", () => emit("playhead"));
  byId("scrub").addEventListener("input", () => goToStep(Number(inputById("scrub").value)));
  document.addEventListener("keydown", keys);
  on("answer", () => {
    position = view.step;
    inputById("scrub").max = String(view.path.count);
    inputById("scrub").value = String(view.step);
    showStep();
  });
  on("step", showStep);
  setLooping(false);
  showPlaying();
}

/** @param {number} step bounded to those there are */
export function goToStep(step) {
  if (!hasAnswer()) return;
  setPlaying(false);
  showTab("integrated"); // the one that shows steps
  move(step);
  emit("playhead");
}

/** The finished map, without a look at it. */
export function finish() {
  if (!hasAnswer()) return;
  setPlaying(false);
  move(Infinity);
}

/** @param {number} step */
function move(step) {
  const next = Math.max(0, Math.min(view.path.count, step));
  if (next === view.step) return;
  inputById("scrub").value = String(next);
  setStep(next);
}

/** Where it is, and how it moves. */
export const playhead = () => ({ step: view.step, count: hasAnswer() ? view.path.count : 0, playing, speed: Number(inputById("speed").value), loop: looping });

/**
 * Take one over from elsewhere: the tab stays, and playing goes on from there by itself.
 * @param {{ step: number, playing: boolean, speed: number, loop: boolean }} head
 */
export function takePlayhead({ step, playing: on, speed, loop }) {
  if (!hasAnswer()) return;
  const began = on && !playing;
  inputById("speed").value = String(speed);
  setLooping(loop);
  playing = on;
  move(step);
  position = view.step;
  lastFrame = null;
  if (began) window.requestAnimationFrame(frame);
  showPlaying();
}

/** @param {boolean} on */
function press(on) {
  setPlaying(on);
  emit("playhead");
}

/** @param {boolean} on */
function setPlaying(on) {
  if (!hasAnswer() || on === playing) return;
  playing = on;
  if (on) {
    showTab("integrated");
    if (view.step >= view.path.count) move(0);
    position = view.step;
    lastFrame = null;
    window.requestAnimationFrame(frame);
  }
  showPlaying();
}

/** @param {number} now in ms */
function frame(now) {
  if (!playing) return;
  const speed = Number(inputById("speed").value);
  const passed = lastFrame === null ? 0 : now - lastFrame;
  if (passed <= LONGEST_FRAME) position += (passed / 1000) * speed;
  lastFrame = now;
  const { count } = view.path;
  if (position < count) move(Math.floor(position));
  else if (looping) {
    const rested = position >= count + LOOP_REST * speed; // the finished map is looked at first
    if (rested) position = 0;
    move(rested ? 0 : count);
  } else {
    move(count);
    return setPlaying(false);
  }
  window.requestAnimationFrame(frame);
}

/** @param {boolean} on */
function setLooping(on) {
  looping = on;
  byId("loop").setAttribute("aria-pressed", String(on));
}

function showPlaying() {
  const [icon, text] = byId("play").children;
  icon.className = `icon icon-${playing ? "pause" : "play"}`;
  write(text, playing ? "Pause" : "Play");
}

function showStep() {
  write(byId("step-shown"), `${view.step} / ${view.path.count}`);
  byId("scrub").setAttribute("aria-valuetext", `step ${view.step} of ${view.path.count}`);
}

/**
 * Space, arrows, Home and End play, unless the focus is on something that uses those keys itself.
 * @param {KeyboardEvent} event
 */
function keys(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || !hasAnswer()) return;
  const target = /** @type {Element} */ (event.target);
  const key = keyOf(event);
  if (view.state.tab === "labs" && key !== "Escape") return; // no path is played there
  const spare = key === " " && target.id === "tab-integrated"; // it is pressed already
  if (isTyping(target) || (!spare && target.closest("select, [type=radio], [type=checkbox], [role=tab], [role=grid], dialog"))) return;
  if (target.matches("input") && key !== " ") return; // a slider's own keys
  const onButton = !spare && target.closest("button, summary, a");
  /** @type {Record<string, () => void>} */
  const actions = {
    ArrowLeft: () => goToStep(view.step - 1),
    ArrowRight: () => goToStep(view.step + 1),
    Home: () => goToStep(0),
    End: () => goToStep(Infinity),
    Escape: () => choosePixel(null),
  };
  if (!onButton) actions[" "] = () => press(!playing);
  if (!actions[key]) return;
  event.preventDefault();
  actions[key]();
}
