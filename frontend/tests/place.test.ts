import assert from "node:assert/strict";
import { test } from "node:test";
import { type Language, placeIn } from "../src/design/place";

/** Where the cursor, written as a bar, stands: the keys of the tables around it, the key whose value it is at, other keys. */
function where(text: string, language: Language = "yaml") {
  const place = placeIn(text.replace("|", ""), text.indexOf("|"), language)!;
  const path = place.tables.slice(1).map(({ key, isItem }) => (isItem ? `${key}[]` : key));
  return [path.join("."), place.key, Object.fromEntries(place.tables.at(-1)!.entries)];
}

test("a key at the top, with the keys around it", () => {
  assert.deepEqual(where("max_lr: 3e-4 # high\nmi|\nstart_wd: 0.1\n"), ["", "", { max_lr: "3e-4", start_wd: "0.1" }]);
  assert.deepEqual(where("|"), ["", "", {}]);
  assert.deepEqual(where("max_lr: 1\n\n|\n"), ["", "", { max_lr: "1" }]);
});

test("a value at the top", () => {
  assert.deepEqual(where("lr_decay_style: co|")[1], "lr_decay_style");
  assert.deepEqual(where("lr_decay_style: |\nmax_lr: 1")[1], "lr_decay_style");
});

test("a table in braces, complete or not", () => {
  assert.deepEqual(where("lr_decay_style: {style: WSD, |}\nmax_lr: 1"), ["lr_decay_style", "", { style: "WSD" }]);
  assert.deepEqual(where("lr_decay_style: {style: |"), ["lr_decay_style", "style", { style: "" }]);
  assert.deepEqual(where("a: {style: 'WSD', |, b: 2}"), ["a", "", { style: "WSD", b: "2" }]);
  assert.deepEqual(where("a: {b: {c: 1}, d: |}"), ["a", "d", { b: "", d: "" }]);
  assert.deepEqual(where("a: {b: {c: |}}"), ["a.b", "c", { c: "" }]);
});

test("a table in braces over several lines", () => {
  assert.deepEqual(where("a: {style: WSD,\n  wsd|\n}\nmax_lr: 1"), ["a", "", { style: "WSD" }]);
  assert.deepEqual(where("a: {style: WSD,\n  b: 1}\nmax|: 1"), ["", "", { a: "", max: "1" }]);
});

test("a table in a block", () => {
  assert.deepEqual(where("a:\n  style: WSD\n  |\nb: 1"), ["a", "", { style: "WSD" }]);
  assert.deepEqual(where("a:\n  |\nb: 1"), ["a", "", {}]);
  assert.deepEqual(where("a:\n  b: 1\n|\nc: 1"), ["", "", { a: "", c: "1" }]);
  assert.deepEqual(where("a:\n  b:\n    c: |"), ["a.b", "c", { c: "" }]);
});

test("items of a list", () => {
  const rules = "groups:\n  - {role: router, match: {param: x}}\n";
  assert.deepEqual(where(`${rules}  - role: bias\n    |`), ["groups[]", "", { role: "bias" }]);
  assert.deepEqual(where(`${rules}  - |`), ["groups[]", "", {}]);
  assert.deepEqual(where("groups:\n- {role: router, |}"), ["groups[]", "", { role: "router" }]);
  assert.deepEqual(where("a:\n  phases: [{style: constant}, {|}]"), ["a.phases[]", "", {}]);
  assert.deepEqual(where("a:\n  phases:\n    - {style: |"), ["a.phases[]", "style", { style: "" }]);
  assert.deepEqual(where("a: [x, |]"), ["", "a", { a: "" }]);
});

test("what is in quotes or in a comment is no structure", () => {
  assert.deepEqual(where("a: {b: \"},{\", |}"), ["a", "", { b: "},{" }]);
  assert.deepEqual(where("# a: {\nb: |"), ["", "b", { b: "" }]);
});

test("TOML: tables and lists of tables by their headers", () => {
  assert.deepEqual(where("max_lr = 1\n[lr_decay_style]\nstyle = \"WSD\"\n|", "toml"), ["lr_decay_style", "", { style: "WSD" }]);
  assert.deepEqual(where("[[groups]]\nrole = \"a\"\n[[groups]]\nmax|", "toml"), ["groups[]", "", {}]);
  assert.deepEqual(where("lr_decay_style = {style = \"|\"}", "toml"), ["lr_decay_style", "style", { style: "" }]);
});

test("JSON", () => {
  const json = (text: string) => where(text, "json");
  assert.deepEqual(json('{"max_lr": 1, "|"}'), ["", "", { max_lr: "1" }]);
  assert.deepEqual(json('{"lr_decay_style": "|"}')[1], "lr_decay_style");
  assert.deepEqual(json('{"a": {"style": "WSD", "|"}, "b": 1}'), ["a", "", { style: "WSD" }]);
  assert.deepEqual(json('{"groups": [{"role": "a"}, {"|"}]}'), ["groups[]", "", {}]);
  assert.deepEqual(json('{\n  "a": {"b": 1},\n  |\n}'), ["", "", { a: "" }]);
});
