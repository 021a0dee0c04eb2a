/** Curves over positions: the point that is nearest to a position, and curves of several files over one axis. */

import { type Curve, type Page, positionsOf } from "./data";

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
    return [10 ** Math.floor(Math.log10(bottom) + 1e-9), high * 1.3];
  }
  if (isTight && high > low) return [low - 0.05 * (high - low), high + 0.05 * (high - low)];
  return [Math.min(low, 0), high > 0 ? 1.06 * high : 1];
}
