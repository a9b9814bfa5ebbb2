// A server that runs another version than the page: said once, with a button that reloads, and never reloaded unasked.
(function () {
  "use strict";
  const explorer = (window.explorer = window.explorer || {});
  const { element, view } = explorer;

  // The page names its own version, as the layout may come from another replica than the page and its scripts.
  const { content: own } = document.querySelector("meta[name='explorer-version']") || {};
  const KEY = "explorer-kept"; // what a reload takes along, read once and then deleted
  const others = new Set(); // versions that were heard of
  const dismissed = new Set(); // and those that were offered in vain
  const foreign = new WeakSet(); // answers that came from another version
  let offer = null; // the notice, while it is there: { remove, urgent }

  // Whether that is another version than the page's own; never where one of the two is not known.
  explorer.isOther = (version) => Boolean(version && own && version !== own);

  explorer.noteOrigin = (answer, version) => explorer.isOther(version) && foreign.add(answer);
  // Whether another version has a part in how an answer is drawn: by what it says, or by the layout that it is drawn in.
  explorer.isForeign = (answer) => foreign.has(answer) || explorer.isOther(view.config.build);

  // The layout and every answer say by which version they were given. While replicas are replaced, they alternate.
  explorer.hearVersion = function (version) {
    if (!explorer.isOther(version)) return;
    others.add(version);
    if (!offer && !dismissed.has(version)) show(false);
  };

  // A newer version refuses what the page asks, or says what it cannot read or draw.
  explorer.Outdated = class Outdated extends Error {};

  // Such a failure; it is worth saying once, also to one who did not want to know of a newer version.
  explorer.outdated = function () {
    const known = offer ? offer.urgent : dismissed.has("unusable");
    if (offer && !known) offer.remove();
    if (!known) show(true);
    return new explorer.Outdated("there is nothing that can be shown");
  };

  function show(urgent) {
    const here = `A newer version of this page is here${urgent ? ", and this one cannot show its answers" : ""}.`;
    const text = element("span", { text: `${here} Reloading keeps your ${hasStorage() ? "picture, settings and undo steps" : "picture and settings"}.` });
    const button = element("button", { type: "button", class: "btn btn-sm btn-outline-secondary", text: "Reload", onclick: () => reload(text) });
    const ondismiss = () => {
      offer = null;
      others.forEach((version) => dismissed.add(version));
      if (urgent) dismissed.add("unusable");
    };
    offer = { remove: explorer.notice(text, { button, ondismiss }), urgent };
  }

  // Only when the page is there to be loaded: a browser's own error page would be all that is left of it.
  async function reload(text) {
    if (!(await explorer.isThere())) {
      explorer.write(text, "The server is away just now. Try to reload in a moment; your picture and settings are kept.");
      return;
    }
    if (keep()) window.location.reload();
    else window.location.replace(explorer.currentLink());
  }

  function hasStorage() {
    try {
      return Boolean(window.sessionStorage);
    } catch {
      return false; // it is refused in some iframes
    }
  }

  // Returns whether that could be done.
  function keep() {
    explorer.commitLooks(); // browsers refuse too many entries in a row: the address may lag behind
    const kept = { address: window.location.search, link: explorer.currentLink(), painting: explorer.paintingHistory() };
    try {
      window.sessionStorage.setItem(KEY, JSON.stringify(kept));
      return true;
    } catch {
      return false; // the link alone brings everything but the undo steps, and the address may lag behind
    }
  }

  // What the page before the reload left behind, or nothing.
  explorer.takeKept = function () {
    try {
      const kept = JSON.parse(window.sessionStorage.getItem(KEY));
      window.sessionStorage.removeItem(KEY);
      return kept && kept.address === window.location.search ? kept : null; // else the visitor went on to another link
    } catch {
      return null;
    }
  };
})();
