// The dialog of the visitor's own pictures: each to be painted on, with its link, and to be deleted.

import { fromLevels } from "../../core/derived.js";
import { openDialog } from "../../core/dialog.js";
import { element, say, smallButton } from "../../core/dom.js";
import { endPicture, MOST, pictures, store } from "../../core/gallery.js";
import { view } from "../../core/store.js";
import { paintMap } from "../../draw/paint.js";
import { changeWithNotice, replacePicture } from "../undo.js";

/** @import { Painted } from "../../core/gallery.js" */

const SIZE = 72; // px of a thumbnail

export function openGallery() {
  const list = element("ul", { class: "gallery" });
  const none = element("p", { text: "None yet. Paint something: it is kept here when a stroke ends." });
  const all = smallButton("Delete all", () => deleteAll());
  const text = `The last ${MOST} that you painted. The list is kept in this browser and sent nowhere. Each link opens its picture with the settings it was painted with.`;
  const dialog = openDialog("My pictures", element("p", { class: "quiet", text }), list, none, element("p", { class: "gallery-foot" }, all));
  /** @type {Painted[]} */
  let shown = [];
  let sure = false;

  const show = () => {
    shown = pictures();
    list.replaceChildren(...shown.map((picture, i) => item(picture, i)));
    none.hidden = shown.length > 0;
    all.hidden = !shown.length;
    all.textContent = "Delete all";
    sure = false;
  };

  /**
   * @param {Painted} picture
   * @param {number} i
   */
  function item(picture, i) {
    const { levels, link, network, at } = picture;
    const title = view.config.networks[network]?.title ?? network;
    const when = new Date(at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    const name = `picture ${i + 1} of ${shown.length}, ${when}`;
    const canvas = element("canvas", { width: SIZE, height: SIZE, "aria-hidden": "true" });
    paintMap(/** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")), SIZE, fromLevels(levels), 1, { kind: "grey" });
    const use = () => {
      dialog.close();
      open(picture);
    };
    return element(
      "li",
      {},
      element("button", { type: "button", class: "thumb", title: `${title}, ${when}`, "aria-label": `Use ${name}`, onclick: use }, canvas),
      element("a", { href: link, text: "Link", "aria-label": `Link to ${name}` }),
      element("button", { type: "button", class: "btn-close", title: "Delete", "aria-label": `Delete ${name}`, onclick: () => deleteOne(i) })
    );
  }

  /** @param {number} i */
  function deleteOne(i) {
    store(pictures().filter((_, k) => k !== i));
    show();
    say("Deleted.");
    const buttons = list.querySelectorAll(".btn-close");
    const next = /** @type {HTMLElement | null} */ (buttons[Math.min(i, buttons.length - 1)] ?? dialog.querySelector(".head .btn-close"));
    next?.focus();
  }

  function deleteAll() {
    if (!sure) {
      sure = true;
      all.textContent = `Press again to delete all ${shown.length}`;
      return;
    }
    store([]);
    show();
    say("All deleted.");
    /** @type {HTMLElement | null} */ (dialog.querySelector(".head .btn-close"))?.focus();
  }

  show();
}

/** @param {Painted} picture */
function open({ levels, network }) {
  endPicture();
  const pixels = fromLevels(levels);
  const known = view.config.networks[network];
  if (!known || network === view.state.network) return replacePicture(pixels);
  changeWithNotice({ pixels, network, target: "predicted" }, `The network is now “${known.title}”, for which this was painted.`);
}
