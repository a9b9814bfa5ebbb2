// Frames around single cells of a map, above its canvas.

import { element } from "../core/dom.js";

/** @import { PixelMap } from "./map.js" */

export class CellMarks {
  /** @param {PixelMap} map */
  constructor(map) {
    this.cells = Array.from({ length: 64 }, () => element("i"));
    map.surface.insertBefore(element("div", { class: "cell-marks", "aria-hidden": "true" }, ...this.cells), map.marker);
  }

  /** @param {(pixel: number) => "" | "framed" | "framed dashed"} frameOf */
  set(frameOf) {
    this.cells.forEach((cell, pixel) => (cell.className = frameOf(pixel)));
  }
}
