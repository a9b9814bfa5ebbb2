// Makes assets/vendor/plotly-charts.min.js, and the licences of what is in it, out of the pinned plotly.js.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";
import { parse } from "acorn";
import { simple } from "acorn-walk";
import { build } from "esbuild";

const here = (path) => new URL(path, import.meta.url);
const TARGET = here("../../assets/vendor/plotly-charts.min.js");
const LICENCES = here("../../assets/vendor/plotly-charts.licences.txt");
const { version: plotly } = createRequire(import.meta.url)("plotly.js/package.json");

// The charts are drawn with staticPlot: nothing in them is hovered, dragged, selected or zoomed by Plotly, and there is no bar
// of tools. In such a chart these modules are asked for what stands here, or for nothing.
const UNUSED = {
  "src/components/fx/hover.js": "module.exports = {};",
  "src/components/modebar/buttons.js": "module.exports = {};",
  "src/components/modebar/manage.js": "module.exports = () => {};",
  "src/components/selections/index.js": "exports.clearOutline = () => {};",
  "src/plots/cartesian/dragbox.js": "module.exports = {};",
};

const lean = {
  name: "lean",
  setup({ onLoad, onResolve, onEnd }) {
    const found = new Set();
    onLoad({ filter: /plotly\.js[\\/]src[\\/].*\.js$/ }, async ({ path }) => {
      const name = path.replaceAll("\\", "/").split("/plotly.js/").pop();
      found.add(name);
      return { contents: UNUSED[name] ?? withoutProse(await readFile(path, "utf8")) };
    });
    onResolve({ filter: /^culori$/ }, () => ({ path: here("colours.mjs").pathname }));
    onEnd(() => {
      const missing = Object.keys(UNUSED).filter((name) => !found.has(name));
      if (missing.length) throw new Error(`plotly.js no longer asks for ${missing.join(", ")}`);
    });
  },
};

// Attributes describe themselves for Plotly's reference: a tenth of the code, which no browser reads.
function withoutProse(source) {
  const cuts = [];
  simple(parse(source, { ecmaVersion: "latest" }), {
    Property: ({ key, value }) => key.name === "description" && value.type !== "ObjectExpression" && cuts.push(value),
  });
  return cuts.sort((a, b) => b.start - a.start).reduce((text, { start, end }) => `${text.slice(0, start)}""${text.slice(end)}`, source);
}

// The licence of every package that a bundle was made of, once.
async function licencesOf(inputs) {
  const folders = new Set(inputs.map((path) => path.match(/^.*node_modules\/(@[^/]+\/)?[^/]+/)?.[0]).filter(Boolean));
  const texts = [...folders].sort().map(async (folder) => {
    const { name, version, license, author } = JSON.parse(await readFile(here(`${folder}/package.json`), "utf8"));
    const file = (await readdir(here(folder))).find((found) => /^licen[cs]e/i.test(found));
    const text = file ? await readFile(here(`${folder}/${file}`), "utf8") : `${license}, by ${author?.name ?? author ?? "its authors"}`;
    return `==== ${name} ${version}\n\n${text.trim()}\n`;
  });
  return (await Promise.all(texts)).join("\n");
}

const { outputFiles, metafile } = await build({
  absWorkingDir: here(".").pathname,
  entryPoints: ["charts.js"],
  bundle: true,
  minify: true,
  format: "iife",
  globalName: "Plotly",
  target: "es2020",
  define: { global: "window", "define.amd": "false" },
  loader: { ".css": "empty" }, // of maps
  banner: { js: `/*! plotly.js ${plotly}, what draws static lines and bars. MIT, see plotly-charts.licences.txt */` },
  legalComments: "none",
  plugins: [lean],
  metafile: true,
  write: false,
});
const [{ contents }] = outputFiles;
const [{ inputs }] = Object.values(metafile.outputs);
const inOutput = Object.keys(inputs).filter((path) => inputs[path].bytesInOutput > 0);
await writeFile(TARGET, contents);
await writeFile(LICENCES, await licencesOf(inOutput));
console.log(`${contents.length} bytes, ${gzipSync(contents, { level: 9 }).length} after gzip -9`);
