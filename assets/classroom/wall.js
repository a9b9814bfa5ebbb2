// The wall: the pictures of the class as live tiles. A teacher's has all of them and moderates; a student's has those that are published.

import { element, placeChildren, write } from "../core/dom.js";
import { download } from "../core/download.js";
import { on } from "../core/events.js";
import { wallCsv } from "./csv.js";
import { classesSentence, counted, ORDERS, peopleSentence } from "./pictures.js";
import { Tile } from "./tile.js";
import { hide, isMuted, publish, TileMenu } from "./tile_menu.js";

/** @import { Order, Picture } from "./pictures.js" */
/** @import { Room } from "./room.js" */
/** @import { Face } from "./tile.js" */

/** @typedef {"all" | "published" | "hidden"} Shown */

export const MOST_COMPARED = 6;
const NEAR = "300px"; // of the window: tiles so near are painted, too
const KEYS = "Keys on a tile: arrows move, Enter opens, S selects, P publishes, H hides, M shows all actions.";

/** @type {Record<Shown, { title: string, has: (picture: Picture) => boolean }>} */
const SHOWN = {
  all: { title: "All", has: (picture) => !picture.hidden },
  published: { title: "Published", has: (picture) => Boolean(picture.published) && !picture.hidden },
  hidden: { title: "Hidden", has: (picture) => Boolean(picture.hidden) },
};

export class Wall {
  /** @type {Map<string, Tile>} */
  tiles = new Map(); // by id
  /** @type {Set<string>} */
  picked = new Set(); // ids
  /** @type {Face} */
  face = "map";
  /** @type {Order} */
  order = "newest";
  /** @type {Shown} */
  shown = "all";
  size = 0; // of a tile's canvas, in device pixels
  /** @type {Tile | null} */
  reached = null; // the tile that Tab leads to
  /** @type {Set<string>} */
  #changed = new Set(); // names of parts, until the next frame
  #frame = 0;

  /**
   * @param {Room} room
   * @param {{ open: (picture: Picture) => void, compare: (pictures: Picture[]) => void }} actions
   */
  constructor(room, actions) {
    this.room = room;
    this.actions = actions;
    this.teaches = room.role === "teacher";
    this.prefix = this.teaches ? "picture/" : "shown/";
    this.list = element("ul", { class: "wall-tiles", "aria-label": "Pictures of the class" });
    this.classes = element("p", { class: "wall-classes" });
    this.scale = element("p", { class: "wall-scale quiet" });
    this.people = element("p", { class: "wall-people", role: "status" });
    this.none = element("p", { class: "wall-none" });
    this.save = element("button", { type: "button", class: "button", text: "Save as CSV", onclick: () => this.#save() });
    this.compare = element("button", { type: "button", class: "button wall-compare", onclick: () => this.#compare() });
    this.menu = this.teaches ? new TileMenu(room, { open: (tile) => actions.open(tile.picture), pick: (tile) => this.#pick(tile, !this.picked.has(tile.picture.id)) }) : null;
    const filters = Object.entries(SHOWN).map(([name, { title }]) => /** @type {[string, string]} */ ([name, title]));
    this.filter = select("Show", filters, (name) => this.filterBy(/** @type {Shown} */ (name)));
    this.heading = element("h2", { class: "wall-title", tabindex: "-1", text: this.teaches ? "What did the network see in your pictures?" : "The class" });
    this.root = element("div", { class: "wall" }, this.#head(), this.list, this.none, this.teaches ? element("p", { class: "wall-keys quiet", text: KEYS }) : null);
    if (this.menu) this.root.append(this.menu.root);
    this.#listen();
  }

  #head() {
    const orders = Object.entries(ORDERS).map(([name, { title }]) => /** @type {[string, string]} */ ([name, title]));
    const sort = select("Sort by", orders, (name) => {
      this.order = /** @type {Order} */ (name);
      this.#arrange();
    });
    const faces = segmented("wall-face", "What the tiles show", [["picture", "Pictures"], ["map", "Integrated Gradients"]], this.face, (face) => this.#turn(/** @type {Face} */ (face)));
    const tools = element("div", { class: "wall-tools" }, sort.root, ...(this.teaches ? [this.filter.root, this.compare, this.save] : []));
    const said = element("div", { class: "wall-said" }, this.heading, this.people, " ", this.classes, " ", this.scale);
    return element("div", { class: "wall-head" }, said, faces, tools);
  }

  #listen() {
    const { room, list } = this;
    room.on(this.prefix, (name) => this.#note(name));
    if (this.teaches) room.on("student/", (name) => this.#note(name));
    this.sight = new IntersectionObserver((entries) => entries.forEach(({ target, isIntersecting }) => this.#sighted(target, isIntersecting)), { rootMargin: NEAR });
    new ResizeObserver(() => this.#measure()).observe(list);
    on("theme", () => this.redraw());
    window.addEventListener("beforeprint", () => this.tiles.forEach(({ root }) => this.#sighted(root, true))); // paper shows all
    list.addEventListener("click", (event) => this.#click(event));
    list.addEventListener("change", ({ target }) => {
      const tile = this.#tileOf(target);
      if (tile?.pick) this.#pick(tile, tile.pick.checked);
    });
    list.addEventListener("focusin", ({ target }) => this.#reach(this.#tileOf(target)));
    list.addEventListener("keydown", (event) => this.#key(event));
    list.addEventListener("contextmenu", (event) => {
      const tile = this.#tileOf(event.target);
      if (!tile || !this.menu) return;
      event.preventDefault();
      this.menu.show(tile);
    });
    [...room.parts.keys()].filter((name) => name.startsWith(this.prefix)).forEach((name) => this.#note(name));
    this.#describe();
  }

  // ---- what the room says

  /** @param {string} name of a part */
  #note(name) {
    this.#changed.add(name);
    this.#frame ||= window.requestAnimationFrame(() => {
      this.#frame = 0;
      this.#update();
    });
  }

  #update() {
    const names = [...this.#changed];
    this.#changed.clear();
    names.filter((name) => name.startsWith(this.prefix)).forEach((name) => this.#take(name.slice(this.prefix.length), this.room.parts.get(name)));
    const students = names.filter((name) => name.startsWith("student/")).map((name) => name.slice("student/".length));
    if (students.length) {
      const moved = new Set(students);
      this.tiles.forEach((tile) => moved.has(tile.picture.alias) && tile.show(tile.picture, isMuted(this.room, tile.picture.alias)));
    }
    this.#arrange();
  }

  /**
   * @param {string} id
   * @param {Picture | null | undefined} picture
   */
  #take(id, picture) {
    const tile = this.tiles.get(id);
    if (!picture) {
      if (!tile) return;
      if (this.menu?.tile === tile) this.menu.close();
      this.tiles.delete(id);
      this.picked.delete(id);
      this.sight?.unobserve(tile.root);
      return;
    }
    if (!tile) {
      const made = new Tile(picture, this.teaches);
      this.tiles.set(id, made);
      made.show(picture, isMuted(this.room, picture.alias));
      this.sight?.observe(made.root);
      return;
    }
    tile.show(picture, isMuted(this.room, picture.alias));
    if (picture.hidden) this.#pick(tile, false);
    tile.draw(this.size, this.face);
  }

  // ---- where the tiles are

  /** The pictures that are shown, in their order. */
  #wanted() {
    const { has } = SHOWN[this.shown];
    return [...this.tiles.values()].map((tile) => tile.picture).filter(has).sort(ORDERS[this.order].compare);
  }

  #arrange() {
    const { list } = this;
    const focused = list.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
    const before = this.#tileOf(focused);
    const index = before ? [...list.children].indexOf(before.root) : 0;
    const roots = this.#wanted().map(({ id }) => /** @type {Tile} */ (this.tiles.get(id)).root);
    placeChildren(list, roots);
    if (!this.reached?.root.isConnected) this.#reach(this.#tileOf(roots[Math.min(index, roots.length - 1)] ?? null));
    if (focused && !focused.isConnected) (this.reached?.open ?? this.heading).focus({ preventScroll: true });
    this.#describe();
  }

  #describe() {
    const all = [...this.tiles.values()].map((tile) => tile.picture);
    const open = all.filter(SHOWN.all.has);
    const seen = all.filter(SHOWN[this.shown].has);
    const aliases = [...this.room.parts].filter(([name, content]) => name.startsWith("student/") && content).map(([name]) => name.slice("student/".length));
    write(this.people, this.teaches ? peopleSentence(open, aliases) : all.length ? `${counted(all.length, "picture")} that your teacher published.` : "");
    const only = this.shown === "all" || !seen.length ? "" : `${SHOWN[this.shown].title}: `;
    write(this.classes, only + classesSentence(seen));
    write(this.scale, !seen.length ? "" : this.face === "map" ? "Each map has its own scale and explains its predicted class." : "Values from 0, black, to 1, white.");
    Object.values(SHOWN).forEach(({ title, has }, i) => write(this.filter.choice.options[i], `${title} (${all.filter(has).length})`));
    this.root.classList.toggle("bare", !all.length);
    write(this.none, seen.length ? "" : this.#nothing(open.length));
    this.save.setAttribute("aria-disabled", String(!seen.length));
    this.#describePicked();
  }

  /** @param {number} open how many are not hidden */
  #nothing(open) {
    if (!this.teaches) return "Nothing is published yet. What your teacher publishes appears here.";
    if (this.shown === "hidden") return "No picture is hidden.";
    if (this.shown === "published" && open) return "None is published yet. Publish pictures in their menus.";
    return "What students send appears here.";
  }

  /** @param {Shown} shown */
  filterBy(shown) {
    this.shown = shown;
    this.filter.choice.value = shown;
    this.#arrange();
  }

  // ---- what they show

  /** After the layout: asking here forces none. */
  #measure() {
    const width = /** @type {HTMLElement | null} */ (this.list.querySelector("canvas"))?.clientWidth ?? 0;
    const size = Math.round(width * Math.min(2, window.devicePixelRatio || 1));
    if (!size || size === this.size) return;
    this.size = size;
    this.redraw();
  }

  /** @param {Face} face */
  #turn(face) {
    this.face = face;
    this.redraw();
    this.#describe();
  }

  redraw() {
    this.tiles.forEach((tile) => {
      tile.stale = true;
      tile.draw(this.size, this.face);
    });
  }

  /**
   * @param {Element} root
   * @param {boolean} seen
   */
  #sighted(root, seen) {
    const tile = this.#tileOf(root);
    if (!tile) return;
    tile.seen = seen;
    if (!this.size) this.#measure();
    tile.draw(this.size, this.face);
  }

  // ---- what is done with them

  /** @param {EventTarget | null} target */
  #tileOf(target) {
    const root = target instanceof Element ? /** @type {HTMLElement | null} */ (target.closest(".tile")) : null;
    return this.tiles.get(root?.dataset.id ?? "") ?? null;
  }

  /** @param {MouseEvent} event */
  #click({ target }) {
    const tile = this.#tileOf(target);
    const button = target instanceof Element ? target.closest("button") : null;
    if (!tile || !button) return;
    if (button === tile.menu) this.menu?.show(tile);
    else this.actions.open(tile.picture);
  }

  /** @param {Tile | null} tile */
  #reach(tile) {
    if (tile === this.reached) return;
    this.reached?.reach(false);
    this.reached = tile;
    tile?.reach(true);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const tile = this.#tileOf(event.target);
    if (!tile || event.ctrlKey || event.metaKey || event.altKey) return;
    const { room, menu } = this;
    const to = this.#tileAfter(tile, event.key);
    const key = event.key.toLowerCase();
    if (to) to.open.focus();
    else if (menu && key === "s") this.#pick(tile, !this.picked.has(tile.picture.id));
    else if (menu && key === "p") publish(room, tile.picture);
    else if (menu && key === "h") hide(room, tile.picture);
    else if (menu && key === "m") menu.show(tile);
    else return;
    event.preventDefault();
  }

  /**
   * @param {Tile} tile
   * @param {string} key
   */
  #tileAfter(tile, key) {
    const roots = [...this.list.children];
    const columns = () => getComputedStyle(this.list).gridTemplateColumns.split(" ").length;
    const moves = /** @type {Record<string, () => number>} */ ({ ArrowLeft: () => -1, ArrowRight: () => 1, ArrowUp: () => -columns(), ArrowDown: columns, Home: () => -roots.length, End: () => roots.length });
    if (!moves[key]) return null;
    const at = roots.indexOf(tile.root) + moves[key]();
    const whole = key === "Home" || key === "End";
    return this.#tileOf(whole ? roots[key === "Home" ? 0 : roots.length - 1] : roots[at] ?? tile.root);
  }

  /**
   * @param {Tile} tile
   * @param {boolean} on_
   */
  #pick(tile, on_) {
    const { id } = tile.picture;
    const full = on_ && !this.picked.has(id) && this.picked.size >= MOST_COMPARED;
    if (on_ && !full) this.picked.add(id);
    else if (!on_) this.picked.delete(id);
    if (tile.pick) tile.pick.checked = this.picked.has(id);
    tile.root.classList.toggle("picked", this.picked.has(id));
    this.#describePicked(full);
  }

  #describePicked(full = false) {
    const count = this.#chosen().length;
    write(this.compare, full ? `At most ${MOST_COMPARED}: compare` : count ? `Compare ${count}` : "Compare");
    this.compare.setAttribute("aria-disabled", String(count < 2));
    this.compare.title = count < 2 ? `Select 2 to ${MOST_COMPARED} tiles first` : "";
  }

  /** Of the pictures that are shown: others may not be for everybody. */
  #chosen() {
    return this.#wanted().filter(({ id }) => this.picked.has(id));
  }

  /** Side by side, in the order of the wall. */
  #compare() {
    const chosen = this.#chosen();
    if (chosen.length >= 2) this.actions.compare(chosen);
  }

  /** What is shown, in its order. */
  #save() {
    const pictures = this.#wanted();
    // without the mark at its start, spreadsheets read other letters than English ones wrongly
    if (pictures.length) download(`wall-${this.room.code.toLowerCase()}.csv`, new Blob(["\ufeff", wallCsv(pictures)], { type: "text/csv" }));
  }
}

/**
 * @param {string} label
 * @param {[string, string][]} options
 * @param {(name: string) => void} onchoose
 */
function select(label, options, onchoose) {
  const id = `wall-${label.toLowerCase().replace(" ", "-")}`;
  const choice = element("select", { class: "form-select", id }, ...options.map(([value, text]) => element("option", { value, text })));
  choice.addEventListener("change", () => onchoose(choice.value));
  return { choice, root: element("div", { class: "inline-field wall-select" }, element("label", { for: id, text: label }), choice) };
}

/**
 * @param {string} name
 * @param {string} legend
 * @param {[string, string][]} options
 * @param {string} chosen
 * @param {(name: string) => void} onchoose
 */
function segmented(name, legend, options, chosen, onchoose) {
  const radios = options.map(([value, text]) => {
    const input = element("input", { type: "radio", class: "form-check-input", name, value, id: `${name}-${value}`, onchange: () => onchoose(value) });
    input.checked = value === chosen;
    return element("div", { class: "form-check" }, input, element("label", { class: "form-check-label", for: input.id, text }));
  });
  return element("fieldset", {}, element("legend", { class: "visually-hidden", text: legend }), element("div", { class: "segmented" }, ...radios));
}
