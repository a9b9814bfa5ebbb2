import assert from "node:assert/strict";
import { test } from "node:test";
import { wallCsv } from "../../assets/classroom/csv.js";
import { classesSentence, ORDERS, peopleSentence } from "../../assets/classroom/pictures.js";

const picture = (/** @type {object} */ facts) => /** @type {any} */ ({ id: "a", alias: "Blue heron", at: 0, network: "shapes", class: "ring", score: 0.5, pixels: Array(64).fill(0), map: Array(64).fill(0), ...facts });

test("the CSV has a line a picture, and no cell that a spreadsheet would run", () => {
  const lines = wallCsv([picture({ at: 1.5, published: true, pixels: Array(64).fill(0.25) }), picture({ class: '=1+"2",3', network: "-net", alias: "@x", score: 1e-7 })]).split("\r\n");
  assert.equal(lines.length, 4); // with what follows the last line's end
  assert.equal(lines[0], ["time", "alias", "network", "class", "P", "published", ...Array.from({ length: 64 }, (_, i) => `"pixel ${Math.floor(i / 8)},${i % 8}"`)].join(","));
  assert.equal(lines[1], `1970-01-01T00:00:01.500Z,Blue heron,shapes,ring,0.5,true,${Array(64).fill(0.25).join(",")}`);
  assert.ok(lines[2].startsWith(`1970-01-01T00:00:00.000Z,'@x,'-net,"'=1+""2"",3",1e-7,false,0,`));
  assert.equal(lines[3], "");
});

test("a sentence counts the classes, the most frequent first, and names at most six", () => {
  const all = (/** @type {string[]} */ ...classes) => classes.map((name) => picture({ class: name }));
  assert.equal(classesSentence([]), "");
  assert.equal(classesSentence(all("ring", "edge", "edge", "cross")), "2 edge, 1 cross, 1 ring.");
  assert.equal(classesSentence(all("a", "b", "c", "d", "e", "f", "g", "h", "h")), "2 h, 1 a, 1 b, 1 c, 1 d, 1 e, 2 of other classes.");
});

test("people are those in the room and those who sent a picture before they left", () => {
  const from = (/** @type {string[]} */ ...aliases) => aliases.map((alias) => picture({ alias }));
  assert.equal(peopleSentence([], []), "No pictures yet. 0 people are in the room.");
  assert.equal(peopleSentence([], ["A"]), "No pictures yet. 1 person is in the room.");
  assert.equal(peopleSentence(from("A", "B", "A"), ["B", "C"]), "3 pictures from 2 of 3 people.");
  assert.equal(peopleSentence(from("A"), ["A"]), "1 picture from 1 person.");
});

test("every order is one: none depends on how the pictures came", () => {
  const some = [picture({ id: "a", at: 3, class: "b", score: 0.2 }), picture({ id: "b", at: 1, class: "a", score: 0.9 }), picture({ id: "c", at: 3, class: "a", score: 0.2 }), picture({ id: "d", at: 2, class: "b", score: 0.9 })];
  const expected = { newest: "acdb", oldest: "bdca", class: "bcda", highest: "dbac", lowest: "acdb" };
  for (const [name, { compare }] of Object.entries(ORDERS))
    for (const given of [some, [...some].reverse()]) assert.equal([...given].sort(compare).map(({ id }) => id).join(""), expected[/** @type {keyof typeof expected} */ (name)], name);
});
