/** What stands beside the charts: the summary of each file, its findings, and its text. */

import type { Finding, Page, ScheduleFile, Text } from "./data";
import { el } from "./dom";

/** Return a section for each file of `page`. */
export function beside(page: Page): HTMLElement[] {
  return page.files.map(section);
}

function section(file: ScheduleFile): HTMLElement {
  const texts = file.texts.map((text) => listing(text, file.findings));
  const lines = new Map(file.texts.map(({ file: name }, index) => [name, texts[index]!]));
  const found = listed(file.findings, (finding) => goTo(finding, lines.get(finding.file)));
  return el("section", { class: "beside" }, el("h2", {}, file.name), el("p", {}, file.summary), found, ...texts);
}

/** Return what goes to the line of `finding`, if `text` shows it. */
function goTo(finding: Finding, text: HTMLElement | undefined): (() => void) | undefined {
  const line = text?.querySelector<HTMLElement>(`[data-line="${finding.line}"]`);
  if (!text || !line) return undefined;
  return () => {
    text.setAttribute("open", "");
    line.focus({ preventScroll: true });
    line.scrollIntoView({ block: "center" });
  };
}

/** Return `findings` as a list; `way` returns what goes to the line of one, if anything does. */
export function listed(findings: Finding[], way: (finding: Finding) => (() => void) | undefined): HTMLElement {
  if (!findings.length) return el("p", { class: "quiet" }, "No findings.");
  return el("ul", { class: "findings" }, ...findings.map((finding) => item(finding, way(finding))));
}

function item(finding: Finding, go: (() => void) | undefined): HTMLElement {
  const role = finding.role === "default" ? "" : ` (param groups ${finding.role})`;
  const subject = finding.subject ? `${finding.subject}: ` : "";
  const made = el("li", { class: finding.severity });
  const kind = [finding.severity, finding.code].filter(Boolean).join(" ");
  made.append(el("strong", {}, kind), ` ${subject}${finding.message}${role}`);
  if (finding.fix) made.append(el("div", { class: "fix" }, `Fix: ${finding.fix}`));
  if (go) {
    const button = el("button", { type: "button", class: "line" }, `line ${finding.line}`);
    button.addEventListener("click", go);
    made.append(" ", button);
  } else if (finding.line) {
    made.append(` (${finding.file}, line ${finding.line})`);
  }
  return made;
}

/** Return the lines of a file, those with findings marked. */
export function listing({ file, text }: Text, findings: Finding[]): HTMLElement {
  const worst = new Map<number, string>();
  for (const finding of findings) {
    if (finding.file === file && finding.line && !worst.has(finding.line)) worst.set(finding.line, finding.severity);
  }
  const lines = text.split(/\r\n|\r|\n/);
  if (lines.length > 1 && lines.at(-1) === "") lines.pop();
  const rows = lines.map((line, index) => {
    const number = index + 1;
    const row = el("li", { "data-line": number, class: worst.get(number) ?? "", tabindex: -1 });
    row.textContent = line || " ";
    return row;
  });
  const list = el("ol", { class: "text", tabindex: 0, "aria-label": file }, ...rows);
  return el("details", { open: true }, el("summary", {}, file), list);
}
