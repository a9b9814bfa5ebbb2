// The first tab: the picture beside its gradient.

import { outputName, pictureName } from "../core/derived.js";
import { byId } from "../core/dom.js";
import { largest } from "../core/numbers.js";
import { view } from "../core/store.js";
import { PixelMap } from "../draw/map.js";

/** @type {PixelMap} */
let input;
/** @type {PixelMap} */
let gradient;

export function start() {
  const host = byId("saliency-maps");
  input = new PixelMap(host, { name: "input", title: "Input x", kind: "grey" });
  gradient = new PixelMap(host, { name: "gradient", title: "Gradient ∂F/∂x", kind: "signed", numbers: true });
}

export function draw() {
  const { map } = view.answer.methods.gradient;
  input.set(view.asked.pixels, 1);
  input.describe({ caption: pictureName(view.asked.pixels).title });
  gradient.set(map, largest(map));
  gradient.describe({ caption: `at this picture, F = ${outputName()}` });
}
