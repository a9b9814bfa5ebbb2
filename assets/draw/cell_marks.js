// Marks on single cells of a map, above its canvas: hatched, or framed.

import { element } from "../core/dom.js";

/** @import { PixelMap } from "./map.js" */

export class CellMarks {
  /**
   * @param {PixelMap} map
   * @param {"hatched" | "framed"} kind
   */
  constructor(map, kind) {
    this.cells = Array.from({ length: 64 }, () => element("i"));
    map.surface.insertBefore(element("div", { class: `cell-marks ${kind}`, "aria-hidden": "true" }, ...this.cells), map.marker);
  }

  /** @param {(pixel: number) => boolean} isMarked */
  set(isMarked) {
    this.cells.forEach((cell, pixel) => cell.classList.toggle("on", isMarked(pixel)));
  }
}
