// Starts the modules, in an order in which each finds what it needs in the page; boot.js loads this one.

import { emit, on } from "./core/events.js";
import { startMethodResults } from "./core/method_results.js";
import { startNotices } from "./core/notices.js";
import { startSession } from "./core/session.js";
import { hasStarted, openStore, view } from "./core/store.js";
import { applyFirstTheme, startTheme } from "./core/theme.js";
import { startBaselines } from "./panels/baselines.js";
import { startClassroom } from "./panels/classroom.js";
import { startControls } from "./panels/controls.js";
import { startCopyLink } from "./panels/copy_link.js";
import { startExport } from "./panels/export.js";
import { startFigures } from "./panels/figures.js";
import { startKeys } from "./panels/keys.js";
import { startLessons } from "./panels/lessons.js";
import { showSentences, startNarration } from "./panels/narration.js";
import { startNewerVersion, takeKept } from "./panels/newer_version.js";
import { startPainting } from "./panels/painting.js";
import { startPlayback } from "./panels/playback.js";
import { showReadout, startReadout } from "./panels/readout.js";
import { startPresent } from "./panels/present.js";
import * as registry from "./panels/registry.js";
import { startStartOver } from "./panels/start_over.js";
import { redraw, startTabs } from "./panels/tabs.js";
import { startTakeHome } from "./panels/take_home.js";
import { startTerms } from "./panels/terms.js";

export { scaleChanged } from "./panels/compare.js";
export { controlsChanged } from "./panels/controls.js";

/** @import { Config, Panel } from "./types.js" */

applyFirstTheme();

/**
 * Dash calls this with what the layout says, once the layout is in the page.
 * @param {Config} config
 * @param {() => Promise<boolean>} pageIsThere
 */
export function start(config, pageIsThere) {
  if (hasStarted()) return;
  document.querySelectorAll("[data-part]").forEach((host) => (host.innerHTML = config.parts[Number(/** @type {HTMLElement} */ (host).dataset.part)]));
  /** @type {Record<string, Panel>} */
  const panels = Object.fromEntries(config.tabs.map((tab) => [tab, /** @type {Record<string, Panel>} */ (registry)[tab]]));
  const link = new URLSearchParams(window.location.search);
  const wanted = link.get("tab") ?? (link.get("v") === "1" ? "saliency" : ""); // so that the right panel waits for the numbers
  openStore(config, { ...config.defaults, tab: Object.hasOwn(panels, wanted) ? wanted : config.defaults.tab });
  document.querySelectorAll("output").forEach((output) => (output.translate = false)); // numbers
  startNotices();
  startClassroom(); // before anything reads the address
  startNewerVersion(pageIsThere);
  startTheme();
  startTabs(panels);
  startPainting();
  startControls();
  startBaselines();
  startPlayback();
  startMethodResults();
  Object.values(panels).forEach((panel) => panel.start());
  startFigures();
  startStartOver();
  startKeys();
  startPresent();
  startTerms();
  startLessons();
  startCopyLink();
  startTakeHome();
  startExport();
  on("answer", () => {
    redraw();
    showSentences();
    showReadout();
  });
  startNarration(panels);
  startReadout(panels);
  emit("state", view.state);
  startSession(takeKept());
}
