import assert from "node:assert/strict";
import { test } from "node:test";
import { linkOf, sameLink } from "../../assets/core/link.js";

const black = Array(64).fill(0);
const dot = black.with(9, 1);
const defaults = /** @type {any} */ ({ pixels: black, drawing: null, network: "shapes", clip: false, steps: 50, options: {}, pinned: ["gradient"], tab: "saliency", lab: "", lab_settings: {} });
const config = {
  defaults,
  levels: 2800,
  alphabet: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
  link: { pixels: "p", drawing: "draw", network: "net", clip: "clip", steps: "m", options: "opt", pinned: "pin", tab: "tab", lab: "lab", lab_settings: "do" },
  link_version: "2",
  painted: "px",
  patterns: { black: { title: "Black", levels: black }, dot: { title: "Dot", levels: dot.map((value) => 2800 * value) } },
  digits: [],
};
const link = (/** @type {object} */ changed) => linkOf({ ...defaults, ...changed }, config);

test("only what differs from the defaults is in a link, its version last", () => {
  assert.equal(link({}), "?v=2");
  assert.equal(link({ network: "digits", clip: true, steps: 70, tab: "compare" }), "?net=digits&clip=1&m=70&tab=compare&v=2");
});

test("a pattern goes by its name, any other picture by its levels", () => {
  assert.equal(link({ pixels: dot }), "?p=dot&v=2");
  const grey = black.with(0, 0.5).with(63, 1);
  const parts = new URLSearchParams(link({ pixels: grey }));
  // three colours, 1400 = 21 · 64 + 56, 0, 2800 = 43 · 64 + 48; then a letter a pixel
  assert.equal(parts.get("px"), `CV4AArw${"A"}${"B".repeat(62)}C`);
});

test("lists and options", () => {
  const options = { lrp_epsilon: { epsilon: 0.5 }, smooth: { clip: true } };
  const parts = new URLSearchParams(link({ pinned: ["gradient", "deeplift"], options }));
  assert.equal(parts.get("pin"), "gradient,deeplift");
  assert.equal(parts.get("opt"), "lrp_epsilon.epsilon:0.5,smooth.clip:1");
});

test("the open lab with its settings", () => {
  const parts = new URLSearchParams(link({ tab: "labs", lab: "sanity", lab_settings: { layers: 2, twin: true, kind: "one" } }));
  assert.equal(parts.get("lab"), "sanity");
  assert.equal(parts.get("do"), "layers:2,twin:1,kind:one");
});

test("links are equal in any order", () => {
  assert.ok(sameLink("?a=1&b=2", "?b=2&a=1"));
  assert.ok(!sameLink("?a=1", "?a=2"));
});
