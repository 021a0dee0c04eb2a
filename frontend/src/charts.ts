/** Charts over one axis with a legend of exact values, and what their view is changed with. */

import type uPlot from "uplot";
import { type View, draw, inOrder } from "./chart";
import { type Page, type Panel, groupOf, positionsOf } from "./data";
import { el } from "./dom";
import { nearest } from "./positions";
import { readout } from "./readout";
import { onThemeChange, theme } from "./theme";

export const KEYS = "Arrow keys move the cursor, plus and minus zoom, Escape shows everything.";
const FAR = 10;

export interface Charts {
  /** The unit, the kind of axis, and the zoom. */
  controls: HTMLElement;
  /** The charts and the legend. */
  element: HTMLElement;
  /** Draw the charts; `element` must be in the document. */
  draw(): void;
  /** Show another page, with the same view of it as far as it has one. */
  update(next: Page): void;
}

/** Make the charts of `page`. */
export function charts(page: Page): Charts {
  const view: View = { unit: page.unit, log: page.log, hidden: new Set() };
  let drawn: uPlot[] = [];
  let table = readout(page, toggle);
  let frames = page.panels.map(frame);
  let at = highest(); // the index of the point of the first file that is read

  const reset = el("button", { type: "button", class: "reset" }, "Reset zoom");
  reset.addEventListener("click", () => zoom(...whole()));
  const main = el("main", {}, ...frames.map(({ element }) => element), table.element);
  let choice = units();
  const controls = el("div", { class: "controls" }, choice, logarithmic(), reset);
  onThemeChange(() => change(() => {}));
  new ResizeObserver(() => {
    drawn.forEach((chart, index) => chart.setSize({ width: frames[index]!.plot.clientWidth, height: chart.height }));
  }).observe(main);
  return { controls, element: main, draw: redraw, update };

  function update(next: Page): void {
    const { unit } = view;
    const x = here();
    const part = zoomed();
    page = next;
    if (!page.units.includes(unit)) view.unit = page.unit;
    table = readout(page, toggle);
    frames = page.panels.map(frame);
    main.replaceChildren(...frames.map(({ element }) => element), table.element);
    const old = choice;
    choice = units();
    old.replaceWith(choice);
    at = unit === view.unit ? nearest(positionsOf(page.files[0]!, unit), x) : highest();
    redraw();
    const [first, last] = whole();
    if (part && unit === view.unit && part[0] < last) zoom(Math.max(part[0], first), Math.min(part[1], last));
  }

  function frame(panel: Panel) {
    const plot = el("div", { class: "plot", tabindex: 0, role: "group", "aria-label": `${panel.title}. ${KEYS}` });
    plot.addEventListener("keydown", press);
    const hasBorders = panel.curves.some(({ borders }) => Object.values(borders).some((points) => points.length));
    const borders = hasBorders ? [el("span", { class: "border" }, `◆ ${page.border}`)] : [];
    return { plot, element: el("figure", {}, el("figcaption", {}, panel.title, ...borders), plot) };
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
    const part = zoomed();
    how();
    redraw();
    if (part) zoom(converted(part[0], unit), converted(part[1], unit));
  }

  /** Return from where to where the charts show the run, if they do not show all of it. */
  function zoomed(): [number, number] | undefined {
    const { min, max } = drawn[0]!.scales.x!;
    const [first, last] = whole();
    return min! > first || max! < last ? [min!, max!] : undefined;
  }

  function converted(x: number, unit: string): number {
    if (unit === view.unit) return x;
    const file = page.files[0]!;
    return positionsOf(file, view.unit)[nearest(positionsOf(file, unit), x)]!;
  }

  function redraw(): void {
    drawn.forEach((chart) => chart.destroy());
    const colours = theme();
    drawn = frames.map(({ plot }, index) => {
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
    drawn.forEach((chart) => chart.setScale("x", { min, max }));
  }

  function toggle(groups: string[]): void {
    const areHidden = groups.every((group) => view.hidden.has(group));
    groups.forEach((group) => (areHidden ? view.hidden.delete(group) : view.hidden.add(group)));
    drawn.forEach((chart, index) => {
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
    const { min, max } = drawn[0]!.scales.x!;
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
    drawn.forEach((chart) => {
      chart.setCursor({ left: chart.valToPos(here(), "x"), top: chart.over.clientHeight / 2 }, false);
    });
    table.read(here(), view.unit);
  }
}
