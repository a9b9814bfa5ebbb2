// For tests/labs/test_inside.py: on each line an answer of the lab inside and places α; writes which units the page shows as on, and their sums.

import { createInterface } from "node:readline";
import { levelAt, onAt, unpack } from "../../assets/panels/labs/inside_way.js";

createInterface({ input: process.stdin }).on("line", (line) => {
  const { answer, alphas } = JSON.parse(line);
  const way = unpack(answer);
  const found = alphas.map((/** @type {number} */ alpha) => ({
    on: onAt(way, alpha).map((on) => [...on]),
    levels: way.layers.map((layer) => [...layer.first.keys()].map((unit) => levelAt(layer, unit, alpha))),
  }));
  process.stdout.write(`${JSON.stringify(found)}\n`);
});
