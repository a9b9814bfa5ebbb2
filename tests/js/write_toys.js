// For tests/labs/test_saturation.py: on each line a question about a toy function; writes what the page's script computes.

import { createInterface } from "node:readline";
import { gradientOf, meanGradient, outputOf, turnOf } from "../../assets/panels/labs/toys.js";

createInterface({ input: process.stdin }).on("line", (line) => {
  const { toy, x, start, by, steps } = JSON.parse(line);
  const found = { value: outputOf(toy, x), gradient: gradientOf(toy, x), mean: meanGradient(toy, x, start, by, steps), turn: turnOf(toy, x, start) };
  process.stdout.write(`${JSON.stringify(found)}\n`);
});
