// The panels, each by the name of its tab: a new one is a script of that name and one line here. Python has the order of the tabs.

export * as compare from "./compare.js";
export * as integrated from "./integrated.js";
export * as labs from "./labs.js";
export * as methods from "./methods.js";
export * as saliency from "./saliency.js";
