// Stylesheets that the opening does not need: they lie beside the scripts, see bundle.py.

/** @type {Map<string, Promise<void>>} */
const wanted = new Map(); // by name

/**
 * Add a stylesheet once; resolves when the browser has it. One that did not come is asked for again.
 * @param {string} name
 */
export function laterStyle(name) {
  const known = wanted.get(name) ?? add(name);
  wanted.set(name, known);
  return known;
}

/**
 * @param {string} name
 * @returns {Promise<void>}
 */
function add(name) {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL(`${name}.css`, import.meta.url).href;
  return new Promise((done, failed) => {
    link.addEventListener("load", () => done());
    link.addEventListener("error", () => {
      link.remove();
      wanted.delete(name);
      failed(new Error(`the stylesheet ${name} did not come`));
    });
    document.head.append(link);
  });
}
