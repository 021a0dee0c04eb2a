/** One panel, drawn by uPlot. */

import uPlot from "uplot";
import { type Curve, type Page, type Panel, type Phase, groupOf, positionsOf } from "./data";
import { rate, si } from "./format";
import { lookOf } from "./look";
import { aligned, bounds, named, nearest, together } from "./positions";
import type { Theme } from "./theme";

const HEIGHT = 250;
const FONT = "12px system-ui, sans-serif";

export interface View {
  unit: string;
  log: boolean;
  hidden: Set<string>;
}

/** Return the curves of `panel` as they are drawn: the first one last, above the others. */
export function inOrder(panel: Panel): Curve[] {
  return [...panel.curves].reverse();
}

/** Draw `panel` into `target`; the curves of the groups in `view.hidden` are left out. */
export function draw(
  target: HTMLElement,
  page: Page,
  panel: Panel,
  view: View,
  theme: Theme,
  sync: string,
  onHover: (x: number) => void,
): uPlot {
  const curves = inOrder(panel);
  const { xs, columns } = aligned(page, curves, view.unit, view.log);
  const own = curves.map((curve) => positionsOf(page.files[curve.file]!, view.unit));
  let isZoomed = false;
  const options: uPlot.Options = {
    width: target.clientWidth,
    height: HEIGHT,
    padding: [18, 20, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: true, y: false },
      sync: { key: sync, scales: ["x", null] },
      points: { size: 8 },
      // Each curve shows its own nearest point: the files have points at different positions.
      dataIdx: (_, series, hovered, x) => (series === 0 ? hovered : nearest(xs, own[series - 1]![nearest(own[series - 1]!, x)]!)),
    },
    scales: {
      x: {
        time: false,
        // uPlot asks for the range of positions first, and for that of the values within it then.
        range: (_, low, high) => {
          isZoomed = low > xs[0]! || high < xs.at(-1)!;
          // So much wider that a tick at the very end, half a step behind the last point, is shown.
          return [low, high + 1e-6 * (high - low)];
        },
      },
      y: {
        distr: view.log ? 3 : 1,
        range: (_, low, high) => bounds(low, high, view.log, isZoomed || panel.quantity === "loss"),
      },
    },
    axes: [
      { ...axis(theme), grid: { show: false }, values: (_, splits) => splits.map(si), size: 34 },
      {
        ...axis(theme),
        values: (_, splits) => splits.map((split) => (split === null ? "" : rate(split))),
        size: 68,
        grid: { stroke: theme.grid, width: 1, ...(view.log ? { filter: decades } : {}) },
      },
    ],
    series: [
      {},
      ...curves.map((curve): uPlot.Series => {
        const { colour, dash } = lookOf(page, curve, theme);
        return {
          label: curve.label,
          show: !view.hidden.has(groupOf(curve)),
          stroke: colour,
          width: 2,
          dash,
          pxAlign: 0,
          points: { show: false },
        };
      }),
    ],
    hooks: {
      drawClear: [
        (chart) => shade(chart, panel.phases[view.unit] ?? [], theme),
        (chart) => expect(chart, page, panel, view, theme),
      ],
      draw: [
        (chart) => mark(chart, page, view.unit, theme),
        (chart) => dot(chart, panel, view.unit, theme),
        (chart) => begin(chart, page, curves, view, theme),
      ],
      setCursor: [
        (chart) => {
          // Without an event the page itself has moved the cursor, and knows where.
          if (chart.cursor.event && chart.cursor.left! >= 0) onHover(chart.posToVal(chart.cursor.left!, "x"));
        },
      ],
    },
  };
  return new uPlot(options, [xs, ...columns] as uPlot.AlignedData, target);
}

function decades(_: uPlot, splits: number[]): (number | null)[] {
  return splits.map((split) => (Number.isInteger(Math.round(Math.log10(split) * 1e9) / 1e9) ? split : null));
}

function axis(theme: Theme): uPlot.Axis {
  return {
    stroke: theme.axis,
    font: FONT,
    grid: { stroke: theme.grid, width: 1 },
    ticks: { stroke: theme.grid, width: 1, size: 5 },
  };
}

function shade(chart: uPlot, phases: Phase[], theme: Theme): void {
  const { ctx, bbox } = chart;
  within(chart, () => {
    phases.forEach((phase, index) => {
      const left = Math.max(chart.valToPos(phase.begin, "x", true), bbox.left);
      const right = Math.min(chart.valToPos(phase.end, "x", true), bbox.left + bbox.width);
      if (right <= left) return;
      ctx.fillStyle = theme.shades[index % 2]!;
      ctx.fillRect(left, bbox.top, right - left, bbox.height);
    });
    ctx.fillStyle = theme.axis;
    ctx.textAlign = "left";
    const place = (x: number) => chart.valToPos(x, "x", true);
    const width = (name: string) => ctx.measureText(name).width;
    for (const { name, left } of named(phases, place, width, [bbox.left, bbox.left + bbox.width])) {
      ctx.fillText(name, left, bbox.top - 6 * uPlot.pxRatio);
    }
  });
}

/** Draw a diamond where a phase of a curve begins that has others than those that are shaded. */
function begin(chart: uPlot, page: Page, curves: Curve[], view: View, theme: Theme): void {
  const { ctx } = chart;
  const half = 5 * uPlot.pxRatio;
  inside(chart, () => {
    for (const curve of curves) {
      if (view.hidden.has(groupOf(curve))) continue;
      ctx.fillStyle = lookOf(page, curve, theme).colour;
      for (const [x, y] of curve.borders[view.unit] ?? []) {
        if (view.log && y <= 0) continue;
        const [left, top] = [chart.valToPos(x, "x", true), chart.valToPos(y, "y", true)];
        ctx.beginPath();
        ctx.moveTo(left - half, top);
        ctx.lineTo(left, top - half);
        ctx.lineTo(left + half, top);
        ctx.lineTo(left, top + half);
        ctx.fill();
      }
    }
  });
}

/** Paint the bands of the curves that are shown. */
function expect(chart: uPlot, page: Page, panel: Panel, view: View, theme: Theme): void {
  const { ctx } = chart;
  inside(chart, () => {
    for (const band of panel.bands ?? []) {
      const curve = panel.curves.find(({ file }) => file === band.file)!;
      if (view.hidden.has(groupOf(curve))) continue;
      const xs = positionsOf(page.files[band.file]!, view.unit);
      const points = (ys: (number | null)[]) => {
        return xs.flatMap((x, at): [number, number][] => (ys[at] == null ? [] : [[x, ys[at]]]));
      };
      ctx.beginPath();
      for (const [x, y] of [...points(band.upper), ...points(band.lower).reverse()]) {
        ctx.lineTo(chart.valToPos(x, "x", true), chart.valToPos(y, "y", true));
      }
      ctx.globalAlpha = 0.15;
      ctx.fillStyle = lookOf(page, curve, theme).colour;
      ctx.fill();
    }
  });
}

/** Paint what was measured. */
function dot(chart: uPlot, panel: Panel, unit: string, theme: Theme): void {
  const { ctx } = chart;
  const radius = 1.6 * uPlot.pxRatio;
  inside(chart, () => {
    ctx.fillStyle = theme.mark;
    for (const { at, values } of panel.dots ?? []) {
      (at[unit] ?? []).forEach((x, index) => {
        ctx.beginPath();
        ctx.arc(chart.valToPos(x, "x", true), chart.valToPos(values[index]!, "y", true), radius, 0, 2 * Math.PI);
        ctx.fill();
      });
    }
  });
}

function mark(chart: uPlot, page: Page, unit: string, theme: Theme): void {
  const { ctx, bbox } = chart;
  const row = 16 * uPlot.pxRatio;
  const marks = page.marks
    .map(({ label, at }) => ({ label, x: chart.valToPos(at[unit] ?? Number.NaN, "x", true) }))
    .filter(({ x }) => x >= bbox.left && x <= bbox.left + bbox.width);
  within(chart, () => {
    ctx.strokeStyle = theme.mark;
    ctx.setLineDash([3 * uPlot.pxRatio, 3 * uPlot.pxRatio]);
    for (const { x } of marks) {
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.fillStyle = theme.axis;
    ctx.textAlign = "left";
    for (const { label, x } of together(marks, row)) {
      const isAtLeftEdge = x - bbox.left < row;
      ctx.translate(x + (isAtLeftEdge ? 12 : -4) * uPlot.pxRatio, bbox.top + bbox.height - 6 * uPlot.pxRatio);
      ctx.rotate(-Math.PI / 2);
      ctx.fillText(label, 0, 0);
      ctx.setTransform(1, 0, 0, 1, 0, 0);
    }
  });
}

/** Let `paint` draw with its own state of the canvas. */
function within(chart: uPlot, paint: () => void): void {
  const { ctx } = chart;
  ctx.save();
  ctx.font = FONT.replace("12px", `${11 * uPlot.pxRatio}px`);
  ctx.textBaseline = "alphabetic";
  ctx.lineWidth = uPlot.pxRatio;
  paint();
  ctx.restore();
}

/** Let `paint` draw as by `within`, where the curves are. */
function inside(chart: uPlot, paint: () => void): void {
  const { ctx, bbox } = chart;
  within(chart, () => {
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    paint();
  });
}
