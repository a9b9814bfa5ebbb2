// For tests/links.py: reads the page's config, then on each line a state or a picture; writes its link or its text.

import { createInterface } from "node:readline";
import { encode, linkOf } from "../../assets/core/link.js";

/** @type {any} */
let config;
createInterface({ input: process.stdin }).on("line", (line) => {
  const given = JSON.parse(line);
  if (!config) config = given;
  else process.stdout.write(`${Array.isArray(given) ? encode(given, config) : linkOf(given, config)}\n`);
});
