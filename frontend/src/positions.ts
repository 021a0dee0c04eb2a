/** Curves over positions: the point that is nearest to a position, and curves of several files over one axis. */

import { type Curve, type Page, type Phase, positionsOf } from "./data";

/** Return the index of the value of rising `xs` that is nearest to `x`. */
export function nearest(xs: number[], x: number): number {
  let low = 0;
  let high = xs.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle]! <= x) low = middle;
    else high = middle;
  }
  return x - xs[low]! <= xs[high]! - x ? low : high;
}

export type Column = (number | null | undefined)[];

export interface Aligned {
  /** The positions of all curves, rising. */
  xs: number[];
  /** Of each curve its values at `xs`: undefined where it has no point, null where a logarithmic axis has none. */
  columns: Column[];
}

/** Return `curves` over one axis in `unit`. */
export function aligned(page: Page, curves: Curve[], unit: string, log: boolean): Aligned {
  const own = curves.map((curve) => positionsOf(page.files[curve.file]!, unit));
  const xs = [...new Set(new Set(own).size === 1 ? own[0] : own.flat())].sort((a, b) => a - b);
  const places = new Map(xs.map((x, index) => [x, index]));
  const columns = curves.map((curve, index) => {
    const column: Column = new Array(xs.length).fill(undefined);
    own[index]!.forEach((x, at) => {
      const value = curve.values[at]!;
      column[places.get(x)!] = value === null || (log && value <= 0) ? null : value;
    });
    return column;
  });
  return { xs, columns };
}

/** Return the bounds of a value axis for values from `low` to `high`; a tight one does not begin at 0. */
export function bounds(low: number | null, high: number | null, log: boolean, isTight: boolean): [number, number] {
  if (low === null || high === null) return log ? [1e-6, 1] : [0, 1];
  if (log) {
    const bottom = Math.max(low, high * 1e-4);
    const decade = 10 ** Math.floor(Math.log10(bottom) + 1e-9);
    return [high > decade * (1 + 1e-9) ? decade : decade / 10, high * 1.3];
  }
  if (isTight && high > low) return [low - 0.05 * (high - low), high + 0.05 * (high - low)];
  return [Math.min(low, 0), high > 0 ? 1.06 * high : 1];
}

export interface Name {
  name: string;
  left: number;
}

/**
 * Return the names of `phases` with where they begin: in the middle of its phase, or where a short phase does, if there
 * is room.
 *
 * @param place where a position is drawn, between `first` and `last`.
 * @param width how wide a name is drawn.
 */
export function named(
  phases: Phase[],
  place: (x: number) => number,
  width: (name: string) => number,
  [first, last]: [number, number],
): Name[] {
  const gap = width("n");
  const taken: [number, number][] = [];
  const stretches = phases.map(({ name, begin, end }) => {
    return { name, begin: Math.max(place(begin), first), end: Math.min(place(end), last) };
  });
  return stretches
    .filter(({ begin, end }) => end > begin)
    .sort((a, b) => b.end - b.begin - (a.end - a.begin))
    .flatMap(({ name, begin, end }) => {
      const own = width(name);
      const free = end - begin - own;
      const left = free > gap ? begin + free / 2 : Math.max(first, Math.min(begin, last - own));
      if (taken.some(([from, to]) => left + own + gap >= from && left <= to + gap)) return [];
      taken.push([left, left + own]);
      return [{ name, left }];
    });
}

export interface Label {
  label: string;
  x: number;
}

/** Return one label for marks that are closer to each other than `room`, at the first of them. */
export function together(marks: Label[], room: number): Label[] {
  const labels: Label[] = [];
  for (const { label, x } of [...marks].sort((a, b) => a.x - b.x)) {
    const before = labels.at(-1);
    if (before && x - before.x < room) before.label += `, ${label}`;
    else labels.push({ label, x });
  }
  return labels;
}
