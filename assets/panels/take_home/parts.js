// Fetched when first needed, as one file.

export { copyPython } from "./python.js";
export { openGallery } from "./gallery.js";
export { saveNotebook } from "./notebook.js";
export { saveReport } from "./report.js";
export { openQr } from "./qr.js";
