// The panels of the tabs, by the tab's name: a new one is a script of that name and one line here.

import * as compare from "./compare.js";
import * as integrated from "./integrated.js";
import * as methods from "./methods.js";
import * as saliency from "./saliency.js";

/** @import { Panel } from "../types.js" */

/** @type {Record<string, Panel>} in the order of the tabs */
export const PANELS = { saliency, integrated, compare, methods };
