// The store: what is being looked at. Every module reads `view`; only the functions here write it.

import { emit } from "./events.js";

/** @import { Config, State, View } from "../types.js" */

// What is null until the page has started or the first answer is there is typed as if it were there always: see hasAnswer.
const values = /** @type {View} */ (
  /** @type {unknown} */ ({
    config: null,
    state: null,
    answer: null,
    asked: null,
    path: null,
    step: 0,
    pixel: null,
    chosen: null,
    hovered: null,
    method: "gradient",
  })
);

export const view = /** @type {Readonly<View>} */ (values);

export const hasStarted = () => Boolean(view.config);

export const hasAnswer = () => Boolean(view.answer);

/**
 * @param {Config} config
 * @param {State} state
 */
export function openStore(config, state) {
  values.config = config;
  values.state = state;
}

/** The answer to an address without a link, which the page brings along; it is given once. */
export function takeAnswer() {
  const { answer } = values.config;
  delete values.config.answer;
  return answer;
}

/** @param {State} state */
export function setState(state) {
  values.state = state;
}

/** @param {Pick<View, "answer" | "asked" | "path" | "step">} shown */
export function setAnswer({ answer, asked, path, step }) {
  Object.assign(values, { answer, asked, path, step });
}

/** @param {number} step */
export function setStep(step) {
  values.step = step;
  emit("step", step);
}

/** @param {string} method */
export function setMethod(method) {
  values.method = method;
}

/** @param {string | null} method */
export function setHovered(method) {
  values.hovered = method;
}

/**
 * Pointers, fingers and keys on a map mark one pixel in all of them.
 * @param {number | null} pixel
 */
export function markPixel(pixel) {
  if (pixel === values.pixel) return;
  values.pixel = pixel;
  emit("pixel", markedPixel());
}

/**
 * A click or the keyboard chooses a pixel: it stays marked when the pointer goes away, until it is chosen again.
 * @param {number | null} pixel
 */
export function choosePixel(pixel) {
  values.chosen = pixel;
  emit("pixel", markedPixel());
}

export const markedPixel = () => (values.pixel === null ? values.chosen : values.pixel);
