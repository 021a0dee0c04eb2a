/** The page: charts over one axis, a legend with exact values, and what is known of each file beside them. */

import type uPlot from "uplot";
import { beside } from "./beside";
import { type View, draw, inOrder } from "./chart";
import { type Page, type Panel, groupOf, positionsOf } from "./data";
import { el } from "./dom";
import { nearest } from "./positions";
import { readout } from "./readout";
import { onThemeChange, theme } from "./theme";

const KEYS = "Arrow keys move the cursor, plus and minus zoom, Escape shows everything.";
const FAR = 10;

/** Show `page` in `root`, in the place of what is there. */
export function show(root: HTMLElement, page: Page): void {
  const view: View = { unit: page.unit, log: page.log, hidden: new Set() };
  let charts: uPlot[] = [];
  let at = 0; // the index of the point of the first file that is read

  const table = readout(page, toggle);
  const frames = page.panels.map(frame);
  const reset = el("button", { type: "button", class: "reset" }, "Reset zoom");
  reset.addEventListener("click", () => zoom(...whole()));
  const main = el("main", {}, ...frames.map(({ element }) => element), table.element);
  const controls = el("div", { class: "controls" }, units(), logarithmic(), reset);
  root.replaceChildren(
    el("header", {}, el("h1", {}, page.title), controls),
    el("div", { class: "columns" }, main, el("aside", {}, ...beside(page))),
    el("footer", {}, `Drag to zoom, double-click to show everything. ${KEYS}`),
  );
  at = highest();
  redraw();
  onThemeChange(() => change(() => {}));
  new ResizeObserver(() => {
    charts.forEach((chart, index) => chart.setSize({ width: frames[index]!.plot.clientWidth, height: chart.height }));
  }).observe(main);

  function frame(panel: Panel) {
    const plot = el("div", { class: "plot", tabindex: 0, role: "group", "aria-label": `${panel.title}. ${KEYS}` });
    plot.addEventListener("keydown", press);
    return { plot, element: el("figure", {}, el("figcaption", {}, panel.title), plot) };
  }

  function units(): HTMLElement {
    const choices = page.units.map((unit) => {
      const input = el("input", { type: "radio", name: "unit", value: unit, checked: unit === view.unit });
      input.addEventListener("change", () => {
        change(() => (view.unit = unit));
      });
      return el("label", {}, input, el("span", {}, unit));
    });
    return el("fieldset", { class: "units" }, el("legend", {}, "unit"), ...choices);
  }

  function logarithmic(): HTMLElement {
    const input = el("input", { type: "checkbox", class: "log", checked: view.log });
    input.addEventListener("change", () => {
      change(() => (view.log = input.checked));
    });
    return el("label", { class: "switch" }, input, "logarithmic");
  }

  /** Draw again after a change of the view, zoomed to the same part of the run. */
  function change(how: () => void): void {
    const { unit } = view;
    const { min, max } = charts[0]!.scales.x!;
    const [first, last] = whole();
    const isZoomed = min! > first || max! < last;
    how();
    redraw();
    if (isZoomed) zoom(converted(min!, unit), converted(max!, unit));
  }

  function converted(x: number, unit: string): number {
    if (unit === view.unit) return x;
    const file = page.files[0]!;
    return positionsOf(file, view.unit)[nearest(positionsOf(file, unit), x)]!;
  }

  function redraw(): void {
    charts.forEach((chart) => chart.destroy());
    const colours = theme();
    charts = frames.map(({ plot }, index) => {
      return draw(plot, page, page.panels[index]!, view, colours, "page", (x) => {
        at = nearest(positionsOf(page.files[0]!, view.unit), x);
        table.read(x, view.unit);
      });
    });
    table.restyle(view.hidden, colours);
    table.read(here(), view.unit);
  }

  function here(): number {
    return positionsOf(page.files[0]!, view.unit)[at]!;
  }

  function highest(): number {
    const values = (page.panels[0]?.curves[0]?.values ?? [0]).map((value) => value ?? -Infinity);
    return values.indexOf(Math.max(...values));
  }

  function whole(): [number, number] {
    const ends = page.files.map((file) => positionsOf(file, view.unit));
    return [Math.min(...ends.map((xs) => xs[0]!)), Math.max(...ends.map((xs) => xs.at(-1)!))];
  }

  function zoom(min: number, max: number): void {
    charts.forEach((chart) => chart.setScale("x", { min, max }));
  }

  function toggle(groups: string[]): void {
    const areHidden = groups.every((group) => view.hidden.has(group));
    groups.forEach((group) => (areHidden ? view.hidden.delete(group) : view.hidden.add(group)));
    charts.forEach((chart, index) => {
      inOrder(page.panels[index]!).forEach((curve, series) => {
        chart.setSeries(series + 1, { show: !view.hidden.has(groupOf(curve)) });
      });
    });
    table.restyle(view.hidden, theme());
  }

  function press(event: KeyboardEvent): void {
    const last = positionsOf(page.files[0]!, view.unit).length - 1;
    const far = event.shiftKey ? FAR : 1;
    const [first, end] = whole();
    const { min, max } = charts[0]!.scales.x!;
    const half = (max! - min!) / 2;
    const acts: Record<string, () => void> = {
      ArrowLeft: () => move(Math.max(at - far, 0)),
      ArrowRight: () => move(Math.min(at + far, last)),
      Home: () => move(0),
      End: () => move(last),
      "+": () => zoom(Math.max(here() - half / 2, first), Math.min(here() + half / 2, end)),
      "-": () => zoom(Math.max(min! - half, first), Math.min(max! + half, end)),
      Escape: () => zoom(first, end),
    };
    const act = acts[event.key === "=" ? "+" : event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  }

  function move(to: number): void {
    at = to;
    charts.forEach((chart) => {
      chart.setCursor({ left: chart.valToPos(here(), "x"), top: chart.over.clientHeight / 2 }, false);
    });
    table.read(here(), view.unit);
  }
}
