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
  const items = file.findings.map((finding) => item(finding, lines.get(finding.file)));
  const found = items.length ? el("ul", { class: "findings" }, ...items) : el("p", { class: "quiet" }, "No findings.");
  return el("section", { class: "beside" }, el("h2", {}, file.name), el("p", {}, file.summary), found, ...texts);
}

function item(finding: Finding, text: HTMLElement | undefined): HTMLElement {
  const role = finding.role === "default" ? "" : ` (param groups ${finding.role})`;
  const subject = finding.subject ? `${finding.subject}: ` : "";
  const made = el("li", { class: finding.severity });
  made.append(el("strong", {}, `${finding.severity} ${finding.code}`), ` ${subject}${finding.message}${role}`);
  if (finding.fix) made.append(el("div", { class: "fix" }, `Fix: ${finding.fix}`));
  const line = text?.querySelector<HTMLElement>(`[data-line="${finding.line}"]`);
  if (text && line) {
    const go = el("button", { type: "button", class: "line" }, `line ${finding.line}`);
    go.addEventListener("click", () => {
      text.setAttribute("open", "");
      line.focus({ preventScroll: true });
      line.scrollIntoView({ block: "center" });
    });
    made.append(" ", go);
  }
  return made;
}

function listing({ file, text }: Text, findings: Finding[]): HTMLElement {
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
