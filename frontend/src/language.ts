/**
 * uPlot formats numbers in the viewer's language from the moment it is loaded, so this is imported before it: in the
 * locale C, the language that WebKitGTK reports is not valid.
 */

try {
  new Intl.NumberFormat(navigator.language);
} catch {
  Object.defineProperty(navigator, "language", { value: "en-US" });
}
