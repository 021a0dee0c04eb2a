import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type Schema, optionsAt } from "../src/design/completion";
import { placeIn } from "../src/design/place";

const schema = JSON.parse(readFileSync("../docs/reference/schedframe.schema.json", "utf8")) as Schema;

/** What is offered where the bar stands. */
function options(text: string) {
  return optionsAt(schema, placeIn(text.replace("|", ""), text.indexOf("|"), "yaml")!);
}

const labels = (text: string) => options(text).map(({ label }) => label);

test("the keys that a file does not have", () => {
  const found = labels("max_lr: 1\n|");
  assert.ok(found.includes("lr_decay_style") && found.includes("extends") && !found.includes("max_lr"));
});

test("a key has its description and its default", () => {
  const found = options("|").find(({ label }) => label === "lr_warmup_steps")!;
  assert.deepEqual([found.info, found.detail], ["Length of the warmup.", "0"]);
});

test("the styles, each with what it is", () => {
  const found = options("lr_decay_style: |");
  assert.match(found.find(({ label }) => label === "cosine")!.info, /cosine/);
  assert.ok(labels("lr_decay_style: {style: |}").includes("phases"));
  assert.ok(!labels("wd_incr_style: |").includes("WSD"));
});

test("the options of the chosen style alone", () => {
  assert.deepEqual(labels("lr_decay_style: {style: WSD, |}"), ["wsd_decay_steps", "lr_wsd_decay_style", "floor"]);
  assert.deepEqual(labels("lr_decay_style:\n  |\n  style: polynomial"), ["power", "k", "floor"]);
  assert.deepEqual(labels("lr_decay_style: {|}"), ["style"]);
});

test("a style within a style", () => {
  const text = "lr_decay_style: {style: WSD, lr_wsd_decay_style: |}";
  assert.ok(labels(text).includes("minus_sqrt") && !labels(text).includes("inverse-square-root"));
});

test("rules for param groups, phases, and what has few values", () => {
  assert.ok(labels("groups:\n  - role: a\n    |").includes("lr_mult"));
  assert.deepEqual(labels("groups:\n  - match: {|}"), ["param", "regex", "ndim", "key", "index"]);
  assert.ok(labels("lr_decay_style: {style: phases, phases: [{|}]}").includes("jump"));
  assert.deepEqual(labels("lr_decay_style: {style: phases, phases: [{jump: |}]}"), ["true", "false"]);
  assert.deepEqual(labels("resume: |"), ["strict", "checkpoint", "override"]);
  assert.deepEqual(labels("lr_warmup_steps: |"), ["2000 iters"]);
});

test("nothing is offered at a key that is unknown", () => {
  assert.deepEqual(labels("unknown: {|}"), []);
  assert.deepEqual(labels("unknown: |"), []);
});
