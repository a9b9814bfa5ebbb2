// A tile of the wall: one picture of the class, or its map, on a canvas, with the predicted class, P and the alias.

import { element, write } from "../core/dom.js";
import { chance, largest } from "../core/numbers.js";
import { paintMap } from "../draw/paint.js";

/** @import { Picture } from "./pictures.js" */

/** @typedef {"picture" | "map"} Face what a tile shows */

export class Tile {
  stale = true; // what is on the canvas is not what it should be
  seen = false; // whether it is in the window, or near
  #drawn = ""; // values that were drawn last

  /**
   * @param {Picture} picture
   * @param {boolean} moderated whether it can be selected, and has a menu
   */
  constructor(picture, moderated) {
    this.picture = picture;
    this.canvas = element("canvas", { "aria-hidden": "true" });
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    this.name = element("b", { class: "tile-class" });
    this.score = element("span", { class: "tile-score", translate: "no" });
    this.alias = element("span", { class: "tile-alias" });
    this.flag = element("span", { class: "tile-flag", hidden: true });
    this.open = element("button", { type: "button", class: "tile-open", tabindex: "-1" }, this.canvas, this.name, this.score, this.alias, this.flag);
    this.pick = moderated ? element("input", { type: "checkbox", class: "form-check-input", tabindex: "-1" }) : null;
    this.menu = moderated ? element("button", { type: "button", class: "tile-menu", tabindex: "-1", "aria-haspopup": "menu", text: "⋯" }) : null;
    const pick = this.pick && element("label", { class: "tile-pick" }, this.pick);
    this.root = element("li", { class: "tile", "data-id": picture.id }, this.open, pick, this.menu);
    this.show(picture, false);
  }

  /**
   * @param {Picture} picture
   * @param {boolean} muted its alias is
   */
  show(picture, muted) {
    this.picture = picture;
    const flags = [picture.published ? "published" : "", picture.hidden ? "hidden" : "", muted ? "muted" : ""].filter(Boolean).join(", ");
    write(this.name, picture.class);
    write(this.score, `P = ${chance(picture.score)}`.replace("= <", "< "));
    write(this.alias, picture.alias);
    write(this.flag, flags);
    this.flag.hidden = !flags;
    this.root.classList.toggle("published", Boolean(picture.published));
    this.root.classList.toggle("hidden-one", Boolean(picture.hidden));
    const what = `${picture.class} by ${picture.alias}`;
    this.pick?.setAttribute("aria-label", `Select ${what}`);
    this.menu?.setAttribute("aria-label", `Actions for ${what}`);
    const values = JSON.stringify([picture.pixels, picture.map]);
    if (values !== this.#drawn) this.stale = true;
    this.#drawn = values;
  }

  /** @param {boolean} on whether Tab reaches it: one tile of the wall has that */
  reach(on) {
    [this.open, this.pick, this.menu].forEach((control) => control?.setAttribute("tabindex", on ? "0" : "-1"));
  }

  /**
   * Paint what is stale and in sight.
   * @param {number} size in device pixels
   * @param {Face} face
   */
  draw(size, face) {
    if (!this.stale || !this.seen || !size) return;
    this.stale = false;
    if (this.canvas.width !== size) this.canvas.width = this.canvas.height = size;
    const { pixels, map } = this.picture;
    if (face === "picture") paintMap(this.context, size, pixels, 1, { kind: "grey", lines: true });
    else paintMap(this.context, size, map, largest(map), { kind: "signed", lines: true });
  }
}
