// What the page has to say of itself: what was wrong with a link, why an answer does not come, that a newer version is here.
// Notices float, so that nothing moves under a finger that paints, and keep away from what is being used.
(function () {
  "use strict";
  const explorer = (window.explorer = window.explorer || {});
  const { byId, element } = explorer;

  const EDGE = 10; // px between a notice and the window's edge, as in the stylesheet
  // What a notice should not lie on, and how much that matters.
  const IN_USE = { "#paint-grid": 1000, "#playback": 30, "#tabs": 1, ".header-tools": 1 };

  explorer.startNotices = function () {
    let placing = null;
    const placeSoon = () => (placing = placing || window.requestAnimationFrame(() => ((placing = null), place())));
    window.addEventListener("scroll", placeSoon, { passive: true });
    window.addEventListener("resize", placeSoon);
  };

  // A notice that stays until it is dismissed. Returns what takes it away.
  explorer.notice = function (content, { button = null, ondismiss = null } = {}) {
    const remove = () => {
      box.remove();
      place();
    };
    const dismiss = () => {
      remove();
      if (ondismiss) ondismiss();
    };
    const close = element("button", { type: "button", class: "btn-close", "aria-label": "Dismiss", onclick: dismiss });
    const box = element("div", { class: "notice" }, element("div", {}, content), button, close);
    add(box);
    return remove;
  };

  // What was wrong with a link, all in one notice.
  explorer.noticeAll = function (texts) {
    if (texts.length === 1) explorer.notice(texts[0]);
    else if (texts.length) explorer.notice(element("ul", {}, ...texts.map((text) => element("li", { text }))));
  };

  // ---- why the newest question was refused: one notice, however many were

  let refusal = null; // that notice: { said, remove }

  // Say why; with null, a later question was answered.
  explorer.tellRefusal = function (text) {
    if (!text) withdrawRefusal();
    else if (refusal) {
      explorer.write(refusal.said, text);
      place();
    } else {
      const said = element("span", { text });
      refusal = { said, remove: explorer.notice(said, { ondismiss: () => (refusal = null) }) };
    }
  };

  function withdrawRefusal() {
    if (refusal) refusal.remove();
    refusal = null;
  }

  // ---- why an answer does not come: one notice, whoever waits

  const troubles = new Map(); // by who has it

  // Say what `who` waits for in vain; with null, it does so no more.
  explorer.tellTrouble = function (who, text) {
    if (text) troubles.set(who, text);
    else troubles.delete(who);
    const [newest] = [...troubles.values()].slice(-1);
    const shown = byId("away");
    if (!newest) {
      if (shown) shown.remove();
    } else if (shown) explorer.write(shown.firstChild, newest);
    else add(element("div", { id: "away", class: "notice away" }, element("span", { text: newest })));
    place();
  };

  // ---- where they are

  function add(box) {
    byId("notices").append(box);
    place();
  }

  // At the top or at the bottom of the window, where they hide less of what is in use.
  function place() {
    const host = byId("notices");
    if (!host.childElementCount) return;
    const { left, right, height } = host.getBoundingClientRect();
    const at = (top) => hidden({ left, right, top, bottom: top + height });
    const [above, below] = [at(EDGE), at(window.innerHeight - EDGE - height)];
    if (above !== below) host.classList.toggle("below", below < above); // else it stays where it is
  }

  function hidden(box) {
    return Object.entries(IN_USE).reduce((sum, [selector, weight]) => {
      const used = document.querySelector(selector).getBoundingClientRect();
      const width = Math.min(box.right, used.right) - Math.max(box.left, used.left);
      const height = Math.min(box.bottom, used.bottom) - Math.max(box.top, used.top);
      return sum + weight * Math.max(0, width) * Math.max(0, height);
    }, 0);
  }
})();
