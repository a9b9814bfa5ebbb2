// What every other script uses: events between the panels, numbers as text, small DOM helpers.
// Scripts are classic and share one namespace, window.explorer; none of them does anything until explorer.start().
(function () {
  "use strict";
  const explorer = (window.explorer = window.explorer || {});

  // What is being looked at. `state` is what the user chose; `answer` what the server last said of it.
  explorer.view = {
    config: null,
    state: null,
    answer: null,
    asked: null, // the state that `answer` belongs to
    path: null, // the answer's path, unpacked for playback
    step: 0, // of the path, 0…K
    pixel: null, // index of the marked pixel, or null
    hovered: null, // the method whose map the pointer was on last
    chosen: null, // the pixel that stays marked when no pointer is on any
    method: "gradient", // whose figures are shown on the right
  };

  const listeners = {};
  // Returns what ends the listening.
  explorer.on = function (event, listener) {
    (listeners[event] = listeners[event] || []).push(listener);
    return () => listeners[event].splice(listeners[event].indexOf(listener), 1);
  };
  explorer.emit = (event, detail) => [...(listeners[event] || [])].forEach((listener) => listener(detail));

  explorer.byId = (id) => document.getElementById(id);

  // element("div", { class: "x", text: "y", onclick: f }, child, …)
  explorer.element = function (tag, attributes, ...children) {
    const element = document.createElement(tag);
    Object.entries(attributes || {}).forEach(([name, value]) => {
      if (name === "text") element.textContent = value;
      else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
    });
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  };

  const written = new WeakMap(); // by element

  // Put text into an element, only when it differs from what was put there last: what a frame can afford. A browser that
  // translates the page replaces text nodes by elements.
  explorer.write = function (host, text) {
    if (written.get(host) === text) return;
    written.set(host, text);
    const node = host.firstChild;
    if (node && node === host.lastChild && node.nodeType === Node.TEXT_NODE) node.nodeValue = text;
    else host.textContent = text;
  };

  // For those who hear the page: only what they themselves moved to.
  explorer.say = (text) => explorer.write(explorer.byId("spoken"), text);

  explorer.iconButton = function (icon, label, onclick) {
    const drawn = explorer.element("span", { class: `icon icon-${icon}`, "aria-hidden": "true" });
    return explorer.element("button", { type: "button", class: "tool small", title: label, "aria-label": label, onclick }, drawn);
  };

  const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

  // Three significant digits, a true minus sign, powers of ten for the very small and large; never NaN.
  explorer.number = function (value, digits) {
    if (value === null || value === undefined || !Number.isFinite(value)) return "–";
    if (value === 0) return "0";
    const [mantissa, exponent] = value.toExponential((digits || 3) - 1).split("e");
    if (exponent < -4 || exponent >= (digits || 3)) {
      const power = String(Number(exponent)).replace(/[-\d]/g, (c) => RAISED[c]);
      return `${mantissa.replace("-", "−")}·10${power}`;
    }
    return value.toPrecision(digits || 3).replace("-", "−");
  };

  // A round number as short as it can be written: ticks of an axis.
  explorer.plain = (value) => (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5) ? explorer.number(value, 1) : String(Number(value.toPrecision(3))).replace("-", "−"));

  explorer.signed = (value, digits) => (value > 0 ? "+" : "") + explorer.number(value, digits);

  explorer.percent = function (share) {
    if (share === null || !Number.isFinite(share)) return "–";
    const value = 100 * share;
    if (Math.abs(share) < 1e-11) return "0 %"; // rounding of the sum itself
    return `${value !== 0 && Math.abs(value) < 9.5 ? explorer.number(value, 2) : Math.round(value)} %`.replace("-", "−");
  };

  // A probability keeps its digits until it differs from 1: 0.99950, not 1.00.
  explorer.probability = function (value) {
    if (value > 1 - 1e-12 && value < 1) return "≈ 1";
    if (value >= 0.999 && value < 1) return value.toFixed(Math.min(15, 1 - Math.floor(Math.log10(1 - value))));
    return explorer.number(value);
  };

  // F in the figures that suit it: of a probability, or of a logit.
  explorer.score = (value) => (explorer.view.asked.output === "probability" ? explorer.probability : explorer.number)(value);

  // As answer.py's _packed: base64 of little-endian float32, first the lowest byte of each, then the next.
  explorer.floats = function (text) {
    const letters = atob(text);
    const count = letters.length / 4;
    const bytes = new Uint8Array(letters.length);
    for (let i = 0; i < letters.length; i++) bytes[4 * (i % count) + Math.floor(i / count)] = letters.charCodeAt(i);
    return new Float32Array(bytes.buffer);
  };

  explorer.largest = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

  explorer.className = (index) => explorer.view.config.networks[explorer.view.asked.network].classes[index];

  explorer.outputName = function () {
    const { asked, answer } = explorer.view;
    return `${asked.output === "logit" ? "logit" : "P"}(${explorer.className(answer.target)})`;
  };

  // The pixel to tell of: the one under the pointer, else the chosen one, else the one that matters most.
  explorer.pixelInView = function () {
    const marked = explorer.markedPixel();
    if (marked !== null) return marked;
    const { answer } = explorer.view;
    const [row, column] = answer.methods.integrated_gradients.top[0];
    return 8 * row + column;
  };

  // What a key means: its character, a digit of any script as 0 to 9. A letter of another script than Latin means what is
  // at its place on a QWERTY keyboard, so that shortcuts work on every layout.
  explorer.keyOf = function ({ key, code }) {
    if (DIGIT.test(key)) return digitOf(key);
    const place = OTHER_SCRIPT.test(key) && /^(?:Key|Digit)([A-Z0-9])$/.exec(code);
    return place ? place[1].toLowerCase() : key;
  };

  const OTHER_SCRIPT = /^[^\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}]/u;

  const DIGIT = /^\p{Nd}$/u;

  // The ten digits of a script follow each other, after what is no digit.
  function digitOf(key) {
    const point = key.codePointAt(0);
    let zero = point;
    while (DIGIT.test(String.fromCodePoint(zero - 1))) zero--;
    return String((point - zero) % 10);
  }

  // Where an arrow key, Home or End leads from a pixel; null for any other key.
  explorer.pixelAfter = function (index, key) {
    const row = Math.floor(index / 8);
    const column = index % 8;
    const places = {
      ArrowUp: [Math.max(0, row - 1), column],
      ArrowDown: [Math.min(7, row + 1), column],
      ArrowLeft: [row, Math.max(0, column - 1)],
      ArrowRight: [row, Math.min(7, column + 1)],
      Home: [row, 0],
      End: [row, 7],
    };
    return places[key] ? 8 * places[key][0] + places[key][1] : null;
  };

  explorer.place = (index) => `row ${Math.floor(index / 8)}, column ${index % 8}`;
})();
