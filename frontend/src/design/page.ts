/** The page that edits a file: its text, what is wrong with it, and its curves. */

import { listed, listing } from "../beside";
import { type Charts, KEYS, charts } from "../charts";
import type { Finding } from "../data";
import { el } from "../dom";
import type { Beginning, Checked, Kept } from "./data";
import { editor } from "./editor";
import { Changed, check, save, stayOpen } from "./server";

const PAUSE = 250; // milliseconds without typing

/** Show the editor of a file in `root`. */
export function design(root: HTMLElement, begin: Beginning): void {
  let { fingerprint, isNew, text: saved } = begin;
  let shown: Charts | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let storing = Promise.resolve();
  let isChecking = false;
  let isStale = false; // the text, or what is asked about it, changed since the last check was sent

  const edited = editor(begin, changed);
  const state = el("span", { class: "state", role: "status" });
  const keep = el("button", { type: "button", class: "save", title: "Ctrl-S" }, "Save");
  keep.addEventListener("click", () => store());
  const overlay = el("input", { type: "checkbox" });
  overlay.addEventListener("change", () => void look());
  const controls = el("div", { class: "controls" });
  const alerts = el("div", { class: "alerts", role: "alert" });
  const gone = el("p", { class: "alert", hidden: true, role: "alert" });
  const found = el("div", { class: "found" });
  const curves = el("section", { class: "curves" }, el("p", { class: "quiet" }, "The curves are drawn once the text can be loaded."));
  const stale = el("p", { class: "stale", role: "status", hidden: true }, "The text has errors; the curves are those of the last valid text.");

  root.replaceChildren(
    el(
      "header",
      {},
      el("h1", { title: begin.file }, begin.name),
      state,
      controls,
      el("div", { class: "controls" }, el("label", { class: "switch" }, overlay, "compare with the file on disk"), keep),
    ),
    gone,
    alerts,
    el("div", { class: "columns" }, el("section", { class: "written" }, edited.element, found), el("div", { class: "drawn" }, stale, curves)),
    el("footer", {}, `Ctrl-S saves, Ctrl-Space completes, Ctrl-F finds. In the charts: drag to zoom, double-click to show everything. ${KEYS}`),
  );
  alerts.append(...begin.notes.map((note) => el("p", { class: "alert" }, note)));
  describe();
  void look();

  stayOpen((isReached) => {
    gone.hidden = isReached;
    gone.textContent = `The command that serves this page has ended: nothing is checked or saved until \`schedframe design ${begin.file}\` is run again, at a new address. Copy what you want to keep.`;
  });
  addEventListener("beforeunload", (event) => {
    if (isChanged()) event.preventDefault();
  });
  addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "s") return;
    event.preventDefault();
    store();
  });

  function isChanged(): boolean {
    return edited.text() !== saved;
  }

  function changed(): void {
    describe();
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE);
  }

  function describe(): void {
    state.textContent = isNew ? "not on disk yet" : isChanged() ? "not saved" : "saved";
    state.dataset.state = isNew || isChanged() ? "changed" : "kept";
    document.title = `${isChanged() ? "• " : ""}${begin.name}`;
  }

  /** Check the text, one request after the other; an answer about another text than the present one is dropped. */
  async function look(): Promise<void> {
    isStale = true;
    if (isChecking) return;
    isChecking = true;
    while (isStale) {
      isStale = false;
      try {
        const answer = await check(edited.text(), overlay.checked);
        if (!isStale) show(answer);
      } catch (error) {
        if (!isStale) found.replaceChildren(el("p", { class: "alert" }, (error as Error).message));
      }
    }
    isChecking = false;
  }

  function show({ page, summary, findings, notes }: Checked): void {
    edited.mark(findings);
    found.replaceChildren(
      ...(summary ? [el("p", { class: "summary" }, summary)] : []),
      listed(findings, wayTo),
      ...notes.map((note) => el("p", { class: "quiet" }, note)),
      ...(page?.files[0]!.texts.slice(1).map((text) => listing(text, findings)) ?? []),
    );
    stale.hidden = page !== null || !shown;
    curves.classList.toggle("faint", page === null);
    if (!page) return;
    if (shown) {
      shown.update(page);
    } else {
      shown = charts(page);
      controls.replaceChildren(shown.controls);
      curves.replaceChildren(shown.element);
      shown.draw();
    }
  }

  function wayTo(finding: Finding): (() => void) | undefined {
    const { line } = finding;
    return line && finding.file === begin.file ? () => edited.goTo(line) : undefined;
  }

  /** Save the text after what is being saved, in the place of the file with the fingerprint `over`, by default ours. */
  function store(over?: string): void {
    storing = storing.then(() => put(over ?? fingerprint));
  }

  async function put(over: string): Promise<void> {
    const text = edited.text();
    try {
      fingerprint = await save(text, over);
    } catch (error) {
      if (error instanceof Changed) dispute(error.kept);
      else tell(`Not saved: ${(error as Error).message}`);
      return;
    }
    saved = text;
    isNew = false;
    settle();
  }

  /** Take it that nobody else has changed the file. */
  function settle(): void {
    alerts.replaceChildren();
    edited.compare(null);
    describe();
    if (overlay.checked) void look();
  }

  /** Let the viewer decide between the text and what stands on disk. */
  function dispute(kept: Kept): void {
    const other = kept.text;
    const what = other === null ? "was removed from the disk" : "was changed on disk";
    let isCompared = false;
    const compare = action("Show differences", () => {
      isCompared = !isCompared;
      edited.compare(isCompared ? other : null);
      compare.textContent = isCompared ? "Hide differences" : "Show differences";
    });
    const take = action("Load the version on disk", () => {
      fingerprint = kept.fingerprint;
      saved = other!;
      edited.replace(other!);
      settle();
    });
    const insist = action("Save anyway", () => store(kept.fingerprint));
    edited.compare(null);
    tell(`Not saved: ${begin.name} ${what} since it was opened here.`, ...(other === null ? [] : [compare, take]), insist);
  }

  function tell(message: string, ...actions: HTMLElement[]): void {
    alerts.replaceChildren(el("div", { class: "alert" }, el("p", {}, message), ...actions));
  }
}

function action(label: string, act: () => void): HTMLElement {
  const button = el("button", { type: "button" }, label);
  button.addEventListener("click", act);
  return button;
}
