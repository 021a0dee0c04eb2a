/** The legend, which is also where values are read: a table of the param groups of each file. */

import { type Curve, type Page, groupOf, positionsOf } from "./data";
import { el } from "./dom";
import { exact, position } from "./format";
import { lookOf } from "./look";
import { nearest } from "./positions";
import type { Theme } from "./theme";

export interface Readout {
  element: HTMLElement;
  /** Show the values at the point of each file that is nearest to `x`. */
  read(x: number, unit: string): void;
  /** Show which groups are hidden, and the colours of `theme`. */
  restyle(hidden: Set<string>, theme: Theme): void;
}

/** Make the table; `toggle` is called with the groups that a click shows or hides. */
export function readout(page: Page, toggle: (groups: string[]) => void): Readout {
  const quantities = [...new Set(page.panels.map((panel) => panel.quantity))];
  const titles = new Map(page.panels.map((panel) => [panel.quantity, panel.title]));
  const curves = page.panels.flatMap((panel) => panel.curves.map((curve) => ({ quantity: panel.quantity, curve })));
  const buttons: { button: HTMLButtonElement; groups: string[]; curve?: Curve }[] = [];
  const cells: { cell: HTMLElement; curve: Curve }[] = [];
  const places: HTMLElement[] = [];

  function button(label: string, groups: string[], curve?: Curve): HTMLButtonElement {
    const made = el("button", { type: "button", class: curve ? "group" : "file", "aria-pressed": "true" });
    if (curve) made.append(el("span", { class: "swatch" }));
    made.append(label);
    made.addEventListener("click", () => toggle(groups));
    buttons.push({ button: made, groups, curve });
    return made;
  }

  const head = el("tr", {}, el("th", { scope: "col" }, "param groups"));
  head.append(...quantities.map((quantity) => el("th", { scope: "col" }, titles.get(quantity)!)));
  const bodies = page.files.map((file, index) => {
    const own = curves.filter(({ curve }) => curve.file === index);
    const first = file.roles.map((role) => own.find(({ curve }) => curve.role === role)!.curve);
    const groups = new Map(first.map((curve) => [groupOf(curve), curve]));
    const place = el("td", { class: "place", colspan: quantities.length });
    places.push(place);
    const name = page.files.length > 1 ? button(file.name, [...groups.keys()]) : "at";
    const rows = [...groups].map(([group, curve]) => {
      const row = el("tr", {}, el("th", { scope: "row" }, button(curve.role, [group], curve)));
      for (const quantity of quantities) {
        const found = own.find((other) => other.quantity === quantity && groupOf(other.curve) === group);
        const cell = el("td", { "data-group": group, "data-quantity": quantity }, "–");
        if (found) cells.push({ cell, curve: found.curve });
        row.append(cell);
      }
      return row;
    });
    return el("tbody", {}, el("tr", {}, el("th", { scope: "rowgroup" }, name), place), ...rows);
  });

  return {
    element: el("table", { class: "readout" }, el("thead", {}, head), ...bodies),
    read(x, unit) {
      const points = page.files.map((file) => nearest(positionsOf(file, unit), x));
      page.files.forEach((file, index) => {
        const at = points[index]!;
        const own = positionsOf(file, unit)[at]!;
        const phase = file.phases[unit]?.filter(({ begin }) => begin <= own).at(-1)?.name;
        const units = page.units.map((name) => `${position(positionsOf(file, name)[at]!)} ${name}`);
        places[index]!.replaceChildren([...units, ...(phase ? [phase] : [])].join(" · "));
        places[index]!.dataset.step = exact(positionsOf(file, file.clock)[at]!);
      });
      for (const { cell, curve } of cells) {
        const value = curve.values[points[curve.file]!] ?? null;
        cell.textContent = value === null ? "–" : exact(value);
      }
    },
    restyle(hidden, theme) {
      for (const { button, groups, curve } of buttons) {
        button.setAttribute("aria-pressed", String(!groups.every((group) => hidden.has(group))));
        if (!curve) continue;
        const { colour, dash } = lookOf(page, curve, theme);
        const [on = 1, off = 0] = dash.map((length) => length / 1.5);
        button.querySelector<HTMLElement>(".swatch")!.style.background =
          `repeating-linear-gradient(to right, ${colour} 0 ${on}px, transparent ${on}px ${on + off}px)`;
      }
    },
  };
}
