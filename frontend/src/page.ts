/** The page: charts over one axis, a legend with exact values, and what is known of each file beside them. */

import { beside } from "./beside";
import { KEYS, charts } from "./charts";
import type { Page } from "./data";
import { el } from "./dom";

/** Show `page` in `root`, in the place of what is there. */
export function show(root: HTMLElement, page: Page): void {
  const { controls, element, draw } = charts(page);
  root.replaceChildren(
    el("header", {}, el("h1", {}, page.title), controls),
    el("div", { class: "columns" }, element, el("aside", {}, ...beside(page))),
    el("footer", {}, `Drag to zoom, double-click to show everything. ${KEYS}`),
  );
  draw();
}
