/** Colours of what is drawn on a canvas, which knows no CSS variables; those of everything else are in page.css. */

export interface Theme {
  curves: string[];
  axis: string;
  grid: string;
  shades: [string, string];
  mark: string;
}

/** Okabe and Ito's palette, which people with every kind of colour vision can distinguish (jfly.uni-koeln.de/color). */
export const LIGHT: Theme = {
  curves: ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"],
  axis: "#4B5563",
  grid: "#DDE1E7",
  shades: ["#F1F4F8", "#FFFFFF"],
  mark: "#6B7280",
};

/** The same palette, the colours that are bright enough on a dark ground first. */
export const DARK: Theme = {
  curves: ["#56B4E9", "#E69F00", "#2FBF96", "#D98BB9", "#F0E442", "#F07A3A", "#FFFFFF"],
  axis: "#A8B0BC",
  grid: "#2C333D",
  shades: ["#1D232B", "#171B21"],
  mark: "#8B94A1",
};

export const DASHES: number[][] = [[], [8, 4], [2, 3], [9, 3, 2, 3]];

const dark = matchMedia("(prefers-color-scheme: dark)");

/** Return the theme that the viewer has set. */
export function theme(): Theme {
  return dark.matches ? DARK : LIGHT;
}

/** Call `then` whenever the viewer changes the setting. */
export function onThemeChange(then: () => void): void {
  dark.addEventListener("change", then);
}
