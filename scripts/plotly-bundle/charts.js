// What the explorer's charts need of Plotly: lines and bars, drawn, redrawn and saved as a picture.
"use strict";
const { register } = require("plotly.js/src/registry");
const methods = require("plotly.js/src/plot_api/plot_api");
const toImage = require("plotly.js/src/plot_api/to_image");
const { version } = require("plotly.js/src/version");

require("plotly.js/build/plotcss");
// Plotly calls itself by these names
Object.entries(methods).forEach(([name, fn]) => register({ moduleType: "apiMethod", name, fn }));
register([
  require("plotly.js/src/traces/scatter"),
  require("plotly.js/src/traces/bar"),
  require("plotly.js/src/components/fx"),
  require("plotly.js/src/components/modebar"),
  require("plotly.js/src/locale-en"),
  require("plotly.js/src/locale-en-us"),
]);

module.exports = { react: methods.react, toImage, version };
