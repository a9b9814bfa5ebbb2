// The scripts of the labs, each by its name; they are fetched when the first lab opens. Python has the order of the shelf.

export * as baselines from "./baselines.js";
export * as convergence from "./convergence.js";
export * as faithfulness from "./faithfulness.js";
export * as fragile from "./fragile.js";
export * as inside from "./inside.js";
export * as interactions from "./interactions.js";
export * as invariance from "./invariance.js";
export * as readable from "./readable.js";
export * as sanity from "./sanity.js";
export * as saturation from "./saturation.js";
export * as shift from "./shift.js";
export * as shortcut from "./shortcut.js";
export * as smoothing from "./smoothing.js";
