// Elements, their text, and keys.

/** @param {string} id */
export const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @param {string} id */
export const inputById = (id) => /** @type {HTMLInputElement} */ (document.getElementById(id));

/**
 * element("div", { class: "x", text: "y", onclick: f }, child, …)
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [attributes]
 * @param {(Node | string | null | undefined)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  Object.entries(attributes).forEach(([name, value]) => {
    if (name === "text") made.textContent = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  });
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** @type {WeakMap<Element, string>} */
const written = new WeakMap();

/**
 * Put text into an element, only when it differs from what was put there last: what a frame can afford. A browser that
 * translates the page replaces text nodes by elements.
 * @param {Element} host
 * @param {string} text
 */
export function write(host, text) {
  if (written.get(host) === text) return;
  written.set(host, text);
  const node = host.firstChild;
  if (node && node === host.lastChild && node.nodeType === Node.TEXT_NODE) node.nodeValue = text;
  else host.textContent = text;
}

/**
 * For those who hear the page: only what they themselves moved to.
 * @param {string} text
 */
export const say = (text) => write(byId("spoken"), text);

/**
 * @param {string} icon
 * @param {string} label
 * @param {() => void} onclick
 */
export function iconButton(icon, label, onclick) {
  const drawn = element("span", { class: `icon icon-${icon}`, "aria-hidden": "true" });
  return element("button", { type: "button", class: "tool small", title: label, "aria-label": label, onclick }, drawn);
}

/**
 * @param {string} text
 * @param {() => void} onclick
 */
export const smallButton = (text, onclick) => element("button", { type: "button", class: "btn btn-sm btn-outline-secondary", text, onclick });

/**
 * A word that a popover explains, see terms.js; the layout has its own of the same kind.
 * @param {string} name
 * @param {string} text
 */
export const term = (name, text) => element("button", { type: "button", class: "term", text, "data-term": name, "aria-expanded": "false" });

/**
 * Terms and what they mean, for a list of definitions.
 * @param {[Node | string, Node | string][]} lines
 */
export const pairs = (lines) => lines.flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, text)]);

/**
 * Make these the children of a host. Only what is in another place than before is moved: it would drop the focus, and a
 * press that has begun.
 * @param {Element} host
 * @param {Element[]} children
 */
export function placeChildren(host, children) {
  const focused = host.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
  const kept = new Set(children);
  [...host.children].forEach((child) => kept.has(child) || child.remove());
  let at = host.firstElementChild;
  for (const child of children) {
    if (child === at) at = at.nextElementSibling;
    else host.insertBefore(child, at);
  }
  if (focused?.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
}

/** @param {Element} target */
export const isTyping = (target) => target.matches("input:not([type=range]):not([type=radio]):not([type=checkbox]), textarea, [contenteditable]");

const OTHER_SCRIPT = /^[^\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}]/u;

const DIGIT = /^\p{Nd}$/u;

/**
 * What a key means: its character, a digit of any script as 0 to 9. A letter of another script than Latin means what is
 * at its place on a QWERTY keyboard, so that shortcuts work on every layout.
 * @param {{ key: string, code: string }} event
 */
export function keyOf({ key, code }) {
  if (DIGIT.test(key)) return digitOf(key);
  const place = OTHER_SCRIPT.test(key) && /^(?:Key|Digit)([A-Z0-9])$/.exec(code);
  return place ? place[1].toLowerCase() : key;
}

/**
 * The ten digits of a script follow each other, after what is no digit.
 * @param {string} key
 */
function digitOf(key) {
  const point = /** @type {number} */ (key.codePointAt(0));
  let zero = point;
  while (DIGIT.test(String.fromCodePoint(zero - 1))) zero--;
  return String((point - zero) % 10);
}

/**
 * @param {() => void} action
 * @param {number} wait in ms
 */
export function debounced(action, wait) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = window.setTimeout(action, wait);
  };
}
