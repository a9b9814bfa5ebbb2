// The painting grid: a real ARIA grid of 64 cells, painted by mouse, pen, touch or keyboard, with undo and redo.
(function () {
  "use strict";
  const explorer = (window.explorer = window.explorer || {});
  const { byId, element } = explorer;

  const MOST_UNDONE = 200;
  let cells = [];
  let shown = []; // the value that each cell shows, to touch only what changed
  let stroke = null; // the one that is going on: { before: the picture, pointer: whose it is, kind, last: where, in cells }
  let brush = 1;
  let erasing = false;
  let cursor = 0; // the cell that Tab reaches
  let undone = [];
  let done = [];
  const nextSample = Array(10).fill(0);

  const pixels = () => explorer.view.state.pixels;

  explorer.startPainting = function () {
    buildGrid();
    buildPresets();
    byId("brush").addEventListener("input", (event) => setBrush(Number(event.target.value) / 100));
    byId("paint-eraser").addEventListener("click", () => setEraser(!erasing));
    byId("paint-clear").addEventListener("click", () => edit(() => 0));
    byId("paint-invert").addEventListener("click", () => edit((value) => explorer.onLattice(1 - value)));
    byId("paint-undo").addEventListener("click", undo);
    byId("paint-redo").addEventListener("click", redo);
    document.addEventListener("keydown", undoKeys);
    setBrush(1);
    setEraser(false);
    explorer.on("state", show);
    explorer.on("pixel", (index) => cells.forEach((cell, i) => cell.classList.toggle("marked", i === index)));
  };

  // The double nearest to a whole 2800th: what a link can carry.
  explorer.onLattice = (value) => Math.round(value * explorer.view.config.levels) / explorer.view.config.levels;

  explorer.fromLevels = (levels) => levels.map((level) => level / explorer.view.config.levels);

  function buildGrid() {
    const grid = byId("paint-grid");
    grid.setAttribute("role", "grid");
    grid.setAttribute("aria-label", "Painting grid: arrow keys move, space paints with the brush, 0 to 9 paint 0.0 to 0.9");
    for (let row = 0; row < 8; row++) {
      const line = element("div", { role: "row", class: "paint-row" });
      for (let column = 0; column < 8; column++) {
        const cell = element("div", { role: "gridcell", class: "paint-cell", tabindex: row + column ? "-1" : "0" });
        cells.push(cell);
        line.append(cell);
      }
      grid.append(line);
    }
    grid.addEventListener("pointerdown", strokeStart);
    grid.addEventListener("pointermove", strokeOrHover);
    ["pointerup", "pointercancel", "lostpointercapture"].forEach((name) => grid.addEventListener(name, strokeEnd));
    window.addEventListener("blur", endStroke);
    grid.addEventListener("pointerleave", () => stroke || explorer.markPixel(null));
    grid.addEventListener("contextmenu", (event) => event.preventDefault());
    grid.addEventListener("keydown", gridKeys);
    grid.addEventListener("focusin", (event) => {
      const cell = cells.indexOf(event.target);
      if (cell >= 0 && event.target.matches(":focus-visible")) explorer.markPixel(cell);
    });
    grid.addEventListener("focusout", () => explorer.markPixel(null));
  }

  // ---- strokes

  // Where a pointer is, in cells, not bounded to the grid.
  function at(event) {
    const box = byId("paint-grid").getBoundingClientRect();
    return { row: (8 * (event.clientY - box.top)) / box.height, column: (8 * (event.clientX - box.left)) / box.width };
  }

  function index({ row, column }) {
    const r = Math.floor(row);
    const c = Math.floor(column);
    return r >= 0 && r < 8 && c >= 0 && c < 8 ? 8 * r + c : null;
  }

  function strokeStart(event) {
    if (![0, 2, 5].includes(event.button) || (stroke && !givesWay(event))) return;
    event.preventDefault();
    if (explorer.isTyping(document.activeElement)) document.activeElement.blur(); // as any click beside a field does
    byId("paint-grid").setPointerCapture(event.pointerId);
    stroke = { before: pixels().slice(), pointer: event.pointerId, kind: event.pointerType, last: at(event) };
    const cell = index(stroke.last);
    if (cell !== null) moveCursor(cell); // not the focus: after a stroke, space is to play
    paintCells([cell], inkOf(event));
  }

  // Whether the stroke that is going on makes room for a pointer that comes down: a second finger does not join in.
  function givesWay({ pointerType, isPrimary }) {
    if (pointerType === "pen" && stroke.kind === "touch") takeBack(); // that was the palm
    else if (isPrimary && pointerType === stroke.kind) endStroke(); // the first of its kind: the end of the other went unseen
    return !stroke;
  }

  function takeBack() {
    explorer.update({ pixels: stroke.before }, { live: true });
    stroke = null;
  }

  function strokeOrHover(event) {
    if (stroke && event.pointerId === stroke.pointer) {
      if (event.buttons) return strokeMove(event);
      endStroke(); // released where no event tells of it
    }
    if (!stroke) explorer.markPixel(index(at(event)));
    return undefined;
  }

  function strokeMove(event) {
    const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    (events.length ? events : [event]).forEach((move) => {
      const to = at(move);
      paintCells(between(stroke.last, to), inkOf(event));
      stroke.last = to;
    });
    explorer.markPixel(index(stroke.last));
  }

  function strokeEnd(event) {
    if (stroke && event.pointerId === stroke.pointer) endStroke();
  }

  function endStroke() {
    if (!stroke) return;
    const { before } = stroke;
    stroke = null;
    remember(before);
    explorer.commit();
  }

  // The pen's eraser end and the right mouse button erase.
  const inkOf = (event) => (erasing || event.buttons & 2 || event.buttons & 32 ? 0 : brush);

  // Every cell that the straight line between two places passes: a fast stroke leaves no gaps.
  function between(from, to) {
    const parts = Math.max(1, Math.ceil(8 * Math.max(Math.abs(to.row - from.row), Math.abs(to.column - from.column))));
    const passed = new Set();
    for (let i = 0; i <= parts; i++) {
      const share = i / parts;
      passed.add(index({ row: from.row + share * (to.row - from.row), column: from.column + share * (to.column - from.column) }));
    }
    return [...passed];
  }

  function paintCells(indices, ink) {
    const next = pixels().slice();
    const value = explorer.onLattice(ink);
    const changed = indices.filter((i) => i !== null && next[i] !== value);
    if (!changed.length) return;
    changed.forEach((i) => (next[i] = value));
    explorer.update({ pixels: next }, { live: true });
  }

  // ---- whole-picture edits, undo and redo

  function edit(change) {
    replace(pixels().map(change));
  }

  function replace(next) {
    const was = pixels().slice();
    explorer.update({ pixels: next });
    remember(was);
    explorer.commit();
  }

  function remember(was) {
    if (was.every((value, i) => value === pixels()[i])) return;
    done.push(was);
    if (done.length > MOST_UNDONE) done.shift();
    undone = [];
    showHistory();
  }

  function undo() {
    travel(done, undone);
  }

  function redo() {
    travel(undone, done);
  }

  function travel(from, to) {
    if (!from.length || stroke) return;
    to.push(pixels().slice());
    explorer.update({ pixels: from.pop() });
    showHistory();
    explorer.commit();
  }

  // Undo and redo outlast the reload that a newer version asks for.
  explorer.paintingHistory = () => ({ done, undone });

  explorer.adoptPaintingHistory = function (kept) {
    const [before, after] = ["done", "undone"].map((name) => ((kept && kept[name]) || []).filter(isPicture));
    done = [...before, ...done].slice(-MOST_UNDONE); // what was painted since comes after it
    if (done.length === before.length) undone = after;
    showHistory();
  };

  const isPicture = (picture) => Array.isArray(picture) && picture.length === 64 && picture.every((value) => value >= 0 && value <= 1);

  function undoKeys(event) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || explorer.isTyping(event.target)) return;
    const key = explorer.keyOf(event).toLowerCase();
    if (key === "z" && !event.shiftKey) undo();
    else if (key === "y" || (key === "z" && event.shiftKey)) redo();
    else return;
    event.preventDefault();
  }

  function showHistory() {
    setUsable("paint-undo", done.length > 0);
    setUsable("paint-redo", undone.length > 0);
  }

  // Not the disabled attribute: a disabled button would drop the keyboard focus that just pressed it.
  function setUsable(id, usable) {
    byId(id).setAttribute("aria-disabled", String(!usable));
  }

  // ---- keyboard

  function gridKeys(event) {
    const key = explorer.keyOf(event);
    if (event.altKey || event.metaKey || (event.ctrlKey && !["Home", "End"].includes(key))) return;
    const far = { Home: event.ctrlKey ? 0 : null, End: event.ctrlKey ? 63 : null, PageUp: cursor % 8, PageDown: 56 + (cursor % 8) };
    const to = far[key] ?? explorer.pixelAfter(cursor, key);
    if (to !== null) {
      moveCursor(to);
      cells[cursor].focus();
      explorer.markPixel(cursor);
    } else if (key === " " || key === "Enter") paintOne(erasing ? 0 : brush);
    else if (key === "Delete" || key === "Backspace") paintOne(0);
    else if (/^[0-9]$/.test(key)) paintOne(Number(key) / 10);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  function paintOne(value) {
    const next = pixels().slice();
    next[cursor] = explorer.onLattice(value);
    replace(next);
  }

  function moveCursor(cell) {
    cells[cursor].tabIndex = -1;
    cursor = cell;
    cells[cursor].tabIndex = 0;
  }

  // ---- brush

  function setBrush(value) {
    brush = value;
    const swatch = byId("brush-shown");
    explorer.write(swatch, value.toFixed(2));
    swatch.style.setProperty("--brush", explorer.grey(value));
    if (erasing) setEraser(false);
  }

  function setEraser(on) {
    erasing = on;
    byId("paint-eraser").setAttribute("aria-pressed", String(on));
  }

  // ---- presets

  function buildPresets() {
    const { patterns, digits } = explorer.view.config;
    byId("patterns").append(
      ...Object.entries(patterns).map(([name, { title, levels }]) => preset(title, levels, () => replace(explorer.fromLevels(levels)), name))
    );
    byId("digits").append(
      ...digits.map((samples, digit) =>
        element("button", {
          type: "button",
          class: "preset digit",
          text: String(digit),
          title: `A handwritten ${digit}; again for another ${digit}`,
          "aria-label": `A handwritten ${digit}; again for another`,
          onclick: () => anotherDigit(digit, samples),
        })
      )
    );
  }

  function preset(title, levels, onclick, name) {
    const canvas = element("canvas", { width: 32, height: 32, "aria-hidden": "true" });
    explorer.paintMap(canvas.getContext("2d"), 32, explorer.fromLevels(levels), 1, { kind: "grey" });
    return element("button", { type: "button", class: "preset", title, "aria-label": `Pattern: ${title}`, "data-name": name, onclick }, canvas);
  }

  // The next sample of this digit; another digit's first click starts with its first sample.
  function anotherDigit(digit, samples) {
    const sample = samples[nextSample[digit] % samples.length];
    nextSample[digit]++;
    replace(explorer.fromLevels(sample));
  }

  const same = (levels, picture) => {
    const top = explorer.view.config.levels;
    return levels.every((level, i) => level / top === picture[i]);
  };

  // The preset that the picture is, pixel by pixel; painting over it makes it Custom, undoing makes it itself again.
  explorer.pictureName = function (picture) {
    const { patterns, digits } = explorer.view.config;
    const pattern = Object.entries(patterns).find(([, { levels }]) => same(levels, picture));
    if (pattern) return { title: pattern[1].title, pattern: pattern[0] };
    for (let digit = 0; digit < 10; digit++) {
      const sample = digits[digit].findIndex((levels) => same(levels, picture));
      if (sample >= 0) return { title: `A handwritten ${digit} (sample ${sample + 1} of ${digits[digit].length})`, digit };
    }
    return { title: "Custom" };
  };

  // ---- showing

  function show() {
    const picture = pixels();
    cells.forEach((cell, i) => {
      if (shown[i] === picture[i]) return;
      shown[i] = picture[i];
      cell.style.backgroundColor = explorer.grey(picture[i]);
      cell.setAttribute("aria-label", `${explorer.place(i)}: ${picture[i].toFixed(2)}`);
    });
    const name = explorer.pictureName(picture);
    explorer.write(byId("picture-name"), name.title);
    document.querySelectorAll("#patterns .preset").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.dataset.name === name.pattern));
    });
    document.querySelectorAll("#digits .preset").forEach((button, digit) => {
      button.setAttribute("aria-pressed", String(digit === name.digit));
    });
    showHistory();
  }
})();
