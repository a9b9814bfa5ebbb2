// One 8 × 8 map on a canvas: a picture in grey, or a signed attribution in two colours with + and − marks, so that
// the sign can be read without seeing the colour. Drawing costs a fraction of a millisecond.
(function () {
  "use strict";
  const explorer = (window.explorer = window.explorer || {});
  const { element, number } = explorer;
  const SHADES = 128;

  // Stops of the diverging scale, from − through 0 to +; the middle follows the theme.
  const STOPS = {
    light: { minus: ["#0b3d78", "#2f7fbf", "#a9cfe6"], zero: "#f7f7f5", plus: ["#f6c3a4", "#d6603f", "#8e1023"] },
    dark: { minus: ["#9bd0ff", "#3f8fd6", "#20486e"], zero: "#1d222b", plus: ["#743524", "#e0704a", "#ffc9a8"] },
  };

  const mix = (a, b, t) => a.map((v, i) => Math.round(v + (b[i] - v) * t));
  const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

  function ramp(stops) {
    const colours = stops.map(rgb);
    return (t) => {
      const at = t * (colours.length - 1);
      const i = Math.min(colours.length - 2, Math.floor(at));
      return mix(colours[i], colours[i + 1], at - i);
    };
  }

  // For a theme: 2 · SHADES + 1 fills from − to +, and for each the ink that can be read on it.
  function palette(theme) {
    const { minus, zero, plus } = STOPS[theme];
    const down = ramp([zero, ...minus.slice().reverse()]);
    const up = ramp([zero, ...plus]);
    const fills = [];
    const inks = [];
    for (let i = -SHADES; i <= SHADES; i++) {
      const colour = i < 0 ? down(-i / SHADES) : up(i / SHADES);
      fills.push(`rgb(${colour.join()})`);
      inks.push(dark(colour) ? "#fff" : "#111");
    }
    return { fills, inks };
  }

  // Which of black and white has the better contrast, by WCAG's relative luminance.
  function dark(colour) {
    const [r, g, b] = colour.map((v) => {
      const share = v / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b < 0.179;
  }

  const palettes = { light: palette("light"), dark: palette("dark") };
  const greys = Array.from({ length: 256 }, (_, i) => `rgb(${i},${i},${i})`);

  explorer.theme = () => document.documentElement.dataset.bsTheme || "light";
  explorer.grey = (value) => greys[Math.round(255 * Math.min(1, Math.max(0, value)))];
  explorer.signColours = () => {
    const { fills } = palettes[explorer.theme()];
    return { minus: fills[Math.round(SHADES * 0.35)], plus: fills[Math.round(SHADES * 1.65)] };
  };

  const maps = (explorer.maps = []); // all that are on the page

  // Pointers, fingers and keys on a map mark one pixel in all of them.
  explorer.markPixel = function (index) {
    if (index === explorer.view.pixel) return;
    explorer.view.pixel = index;
    showMark();
  };

  // A click or the keyboard chooses a pixel: it stays marked when the pointer goes away, until it is chosen again.
  explorer.choosePixel = function (index) {
    explorer.view.chosen = index;
    showMark();
  };

  explorer.markedPixel = () => (explorer.view.pixel === null ? explorer.view.chosen : explorer.view.pixel);

  function showMark() {
    const marked = explorer.markedPixel();
    maps.forEach((map) => map.mark(marked));
    explorer.emit("pixel", marked);
  }

  class PixelMap {
    // options: name (for files), title, kind ("signed" | "grey"), numbers (draw values in the cells), onselect (a click or Enter)
    constructor(host, options) {
      this.options = options;
      this.values = null;
      this.limit = 0;
      this.build(host);
      maps.push(this);
    }

    build(host) {
      const { title, onselect } = this.options;
      this.title = element("h3", { text: title });
      this.note = element("p", { class: "map-note" });
      this.canvas = element("canvas", { "aria-hidden": "true" });
      this.context = this.canvas.getContext("2d", { alpha: false });
      this.marker = element("div", { class: "marker", hidden: true });
      this.surface = element(
        "div",
        { class: "map-surface", tabindex: "0", role: "application", "aria-roledescription": "8 by 8 map", "aria-label": title, "aria-describedby": "map-help" },
        this.canvas,
        this.marker
      );
      this.scale = element("div", { class: `scale scale-${this.options.kind}`, translate: "no" });
      this.figures = element("p", { class: "map-figures" });
      const tools = element(
        "div",
        { class: "map-tools" },
        explorer.iconButton("large", `Enlarge: ${title}`, () => explorer.enlarge(this)),
        explorer.iconButton("save", `Save as PNG: ${title}`, () => explorer.savePicture(this))
      );
      const head = element("div", { class: "map-head" }, this.title, tools);
      this.root = element("div", { class: "map" }, this.options.bare ? null : head, this.note, this.surface, this.scale, this.figures);
      host.append(this.root);
      this.surface.addEventListener("pointermove", (event) => {
        this.hover();
        explorer.markPixel(this.at(event));
      });
      this.surface.addEventListener("pointerleave", () => explorer.markPixel(null));
      this.surface.addEventListener("focus", () => this.hover());
      this.surface.addEventListener("focus", () => this.values && this.surface.matches(":focus-visible") && explorer.markPixel(explorer.pixelInView()));
      this.surface.addEventListener("blur", () => explorer.markPixel(null));
      this.surface.addEventListener("keydown", (event) => this.key(event));
      this.surface.addEventListener("click", (event) => {
        if (onselect) onselect(this);
        else explorer.choosePixel(this.at(event) === explorer.view.chosen ? null : this.at(event));
      });
      this.resizing = new ResizeObserver(() => this.resize());
      this.resizing.observe(this.surface);
    }

    // The method whose map the pointer or the focus is on: what the readout tells of among all of them.
    hover() {
      explorer.view.hovered = explorer.view.config.methods[this.options.name] ? this.options.name : null;
    }

    remove() {
      this.resizing.disconnect();
      this.root.remove();
      maps.splice(maps.indexOf(this), 1);
    }

    at(event) {
      const box = this.surface.getBoundingClientRect();
      const cell = (offset, size) => Math.min(7, Math.max(0, Math.floor((8 * offset) / size)));
      return 8 * cell(event.clientY - box.top, box.height) + cell(event.clientX - box.left, box.width);
    }

    key(event) {
      if (event.altKey || event.ctrlKey || event.metaKey || !this.values) return;
      const key = explorer.keyOf(event);
      const to = explorer.pixelAfter(explorer.pixelInView(), key);
      if (to !== null) {
        explorer.markPixel(to);
        explorer.choosePixel(to);
        explorer.say(`${explorer.place(to)}: ${this.options.kind === "grey" ? number(this.values[to]) : explorer.signed(this.values[to])}`);
      } else if (key === "Enter" && this.options.onselect) {
        this.options.onselect(this);
      } else return;
      event.preventDefault();
      event.stopPropagation();
    }

    // Values in reading order; the limit of the colour scale is shared or the map's own largest size.
    set(values, limit) {
      this.values = values;
      if (limit !== this.limit) {
        this.limit = limit;
        this.drawScale();
      }
      this.draw();
    }

    describe(note, figures) {
      explorer.write(this.note, note || "");
      explorer.write(this.figures, figures || "");
    }

    mark(index) {
      this.marker.hidden = index === null;
      if (index !== null) this.marker.style.transform = `translate(${100 * (index % 8)}%, ${100 * Math.floor(index / 8)}%)`;
    }

    drawScale() {
      if (this.options.kind === "grey") {
        this.scale.replaceChildren(element("span", { text: "0" }), element("i"), element("span", { text: "1" }));
        return;
      }
      const limit = number(this.limit);
      const ends = this.limit > 0 ? [`−${limit}`, `+${limit}`] : ["0", "0"];
      this.scale.replaceChildren(element("span", { text: ends[0] }), element("i"), element("span", { text: ends[1] }));
    }

    // The size is only asked for when it changes: asking in every frame would force the page to be laid out.
    resize() {
      const pixels = Math.round(this.surface.clientWidth * Math.min(3, window.devicePixelRatio || 1));
      if (pixels === this.canvas.width || !pixels) return;
      this.canvas.width = this.canvas.height = pixels;
      this.sized = true;
      this.draw();
    }

    draw() {
      if (this.sized && this.values) explorer.paintMap(this.context, this.canvas.width, this.values, this.limit, this.options);
    }
  }
  explorer.PixelMap = PixelMap;

  // Draw a map of the given size in device pixels; also used for the pictures that are saved.
  explorer.paintMap = function (context, size, values, limit, options) {
    const { fills, inks } = palettes[options.theme || explorer.theme()];
    const edge = (i) => Math.round((i * size) / 8);
    const wide = size / 8 / (options.ratio || window.devicePixelRatio || 1) >= 30;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.font = `${Math.round(size / 8 / 3.6)}px system-ui, sans-serif`;
    for (let i = 0; i < 64; i++) {
      const x = edge(i % 8);
      const y = edge(Math.floor(i / 8));
      const w = edge((i % 8) + 1) - x;
      const h = edge(Math.floor(i / 8) + 1) - y;
      if (options.kind === "grey") {
        context.fillStyle = explorer.grey(values[i]);
        context.fillRect(x, y, w, h);
        continue;
      }
      const share = limit > 0 ? Math.max(-1, Math.min(1, values[i] / limit)) : 0;
      const shade = SHADES + Math.round(share * SHADES);
      context.fillStyle = fills[shade];
      context.fillRect(x, y, w, h);
      const strength = Math.abs(share);
      if (strength < 0.06) continue;
      context.fillStyle = inks[shade];
      const text = options.numbers && wide && strength >= (options.everyNumber ? 0.06 : 0.2) ? cellNumber(context, values[i], w) : null;
      if (text) context.fillText(text, x + w / 2, y + h / 2 + 1);
      else sign(context, x + w / 2, y + h / 2, w * (0.16 + 0.34 * strength), share > 0);
    }
  };

  // A value as long as fits into its cell: two significant digits, or one; null if not even that fits.
  function cellNumber(context, value, width) {
    const size = Math.abs(value);
    const lead = value < 0 ? "−" : "+";
    for (const digits of [2, 1]) {
      const plain = size >= 10 ? size.toFixed(0) : size.toPrecision(digits);
      const short = size < 0.001 ? size.toExponential(digits - 1).replace("e-", "e−") : plain.replace(/^0\./, ".");
      if (context.measureText(lead + short).width <= 0.94 * width) return lead + short;
    }
    return null;
  }

  // A + or − whose length grows with the size of the value.
  function sign(context, x, y, length, plus) {
    const thick = Math.max(1, length / 5);
    context.fillRect(x - length / 2, y - thick / 2, length, thick);
    if (plus) context.fillRect(x - thick / 2, y - length / 2, thick, length);
  }

  explorer.redrawMaps = () => maps.forEach((map) => map.draw());
})();
