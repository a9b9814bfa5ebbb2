// The link of what is seen as a QR code, for a phone or a projector.

import { linkField, openDialog } from "../../core/dialog.js";
import { element } from "../../core/dom.js";
import { laterStyle } from "../../core/later_style.js";
import { drawQr } from "../../core/qr.js";

/** @param {string} link */
export async function openQr(link) {
  await laterStyle("qr");
  const code = element("div", { class: "qr-code", role: "img", "aria-label": "QR code of this link" });
  openDialog("QR code of this link", code, linkField("Link to this state", link));
  await drawQr(code, link);
}
