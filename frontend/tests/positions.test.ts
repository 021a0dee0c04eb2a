import assert from "node:assert/strict";
import { test } from "node:test";
import type { Curve, Page, ScheduleFile } from "../src/data";
import { aligned, bounds, named, nearest, together } from "../src/positions";

function file(xs: number[]): ScheduleFile {
  return { name: "", summary: "", roles: ["default"], clock: "samples", positions: { samples: xs }, phases: {}, findings: [], texts: [] };
}

function curve(file: number, values: (number | null)[]): Curve {
  return { label: "", file, role: "default", values, borders: {} };
}

function page(...files: ScheduleFile[]): Page {
  return { title: "", unit: "samples", units: ["samples"], log: false, files, panels: [], marks: [], border: "" };
}

test("the nearest point is found", () => {
  const xs = [0, 10, 20, 50];
  assert.deepEqual([-5, 4, 6, 34, 36, 99].map((x) => nearest(xs, x)), [0, 0, 1, 2, 3, 3]);
  assert.equal(nearest([7], 3), 0);
});

test("the curves of one file share its positions", () => {
  const { xs, columns } = aligned(page(file([0, 1, 2])), [curve(0, [3, 4, 5]), curve(0, [6, 7, 8])], "samples", false);
  assert.deepEqual([xs, ...columns], [[0, 1, 2], [3, 4, 5], [6, 7, 8]]);
});

test("a file has no points at the positions of another one", () => {
  const both = page(file([0, 2]), file([1, 2]));
  const { xs, columns } = aligned(both, [curve(0, [3, 4]), curve(1, [5, 6])], "samples", false);
  assert.deepEqual([xs, ...columns], [[0, 1, 2], [3, undefined, 4], [undefined, 5, 6]]);
});

test("a logarithmic axis has no place for zero", () => {
  assert.deepEqual(aligned(page(file([0, 1])), [curve(0, [0, 3])], "samples", true).columns, [[null, 3]]);
});

test("a curve without a value leaves a gap", () => {
  assert.deepEqual(aligned(page(file([0, 1])), [curve(0, [null, 3])], "samples", false).columns, [[null, 3]]);
});

test("a linear axis begins at zero until it is tight", () => {
  assert.deepEqual(bounds(1, 2, false, false), [0, 2.12]);
  assert.deepEqual(bounds(1, 2, false, true), [0.95, 2.05]);
});

test("an axis of nothing but zeros has a height", () => {
  assert.deepEqual(bounds(0, 0, false, true), [0, 1]);
  assert.deepEqual(bounds(null, null, true, false), [1e-6, 1]);
});

test("a logarithmic axis has five decades at most", () => {
  assert.deepEqual(bounds(1e-12, 1000, true, false), [0.1, 1300]);
});

test("a logarithmic axis of one value has room below it", () => {
  const [low, high] = bounds(0.1, 0.1, true, false);
  assert.deepEqual([low, high].map((value) => value.toFixed(3)), ["0.010", "0.130"]);
});

test("a phase is named in its middle, a short one from where it begins, if there is room", () => {
  const phases = [
    { name: "warmup", begin: 0, end: 1 },
    { name: "second", begin: 1, end: 2 },
    { name: "stable", begin: 2, end: 80 },
    { name: "cooldown", begin: 80, end: 100 },
  ];
  const names = named(phases, (x) => x, (name) => name.length, [0, 100]);
  assert.deepEqual(Object.fromEntries(names.map(({ name, left }) => [name, left])), { stable: 38, cooldown: 86, "warmup": 0 });
});

test("marks that are close to each other have one label", () => {
  const marks = [{ label: "checkpoint", x: 50 }, { label: "decay end", x: 90 }, { label: "branch", x: 45 }];
  assert.deepEqual(together(marks, 10), [{ label: "branch, checkpoint", x: 45 }, { label: "decay end", x: 90 }]);
});
