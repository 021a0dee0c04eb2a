import assert from "node:assert/strict";
import { test } from "node:test";
import { exact, position, rate, si } from "../src/format";

test("positions are short on an axis", () => {
  assert.deepEqual([0, 12, 2000, 131_800_000, 3e11, 5e11 - 2048, 1e13].map(si), ["0", "12", "2K", "131.8M", "300B", "500B", "10T"]);
});

test("rates are short on an axis", () => {
  assert.deepEqual([0, 3e-4, 1.25e-5, 0.1, 0.02, 1].map(rate), ["0", "3e-4", "1.25e-5", "0.1", "0.02", "1"]);
});

test("positions are read in full", () => {
  assert.equal(position(1234567.5), "1,234,567.5");
});

test("values are read with every digit", () => {
  for (const value of [3e-4, 0.1 + 0.2, 1 / 3, 1e-7 / 3, 5e-324, 0]) assert.equal(Number(exact(value)), value);
  assert.equal(exact(3e-5), "3e-5");
});
