/** How a curve looks: by role in a page of one file; by file, and dashed by role, in a page of several. */

import type { Curve, Page } from "./data";
import { DASHES, type Theme } from "./theme";

export interface Look {
  colour: string;
  dash: number[];
}

/** Return how `curve` looks, in every panel and in the legend. */
export function lookOf(page: Page, curve: Curve, theme: Theme): Look {
  const roles = [...new Set(page.files.flatMap((file) => file.roles))];
  const role = roles.indexOf(curve.role);
  const byFile = page.files.length > 1;
  const colour = theme.curves[(byFile ? curve.file : role) % theme.curves.length]!;
  const dash = byFile ? role : Math.floor(role / theme.curves.length);
  return { colour, dash: DASHES[dash % DASHES.length]! };
}
