/** The editor of a file's text. */

import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, StreamLanguage, bracketMatching, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { toml } from "@codemirror/legacy-modes/mode/toml";
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { unifiedMergeView } from "@codemirror/merge";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import type { Finding } from "../data";
import { type Option, type Schema, optionsAt } from "./completion";
import type { Beginning } from "./data";
import { type Language, placeIn } from "./place";

export interface Editor {
  element: HTMLElement;
  text(): string;
  /** Put another text in the place of the whole one; it can be undone. */
  replace(text: string): void;
  /** Mark the lines of findings. */
  mark(findings: Finding[]): void;
  /** Put the cursor into a line, counted from 1. */
  goTo(line: number): void;
  /** Show differences from another text, or, with `null`, the text alone. */
  compare(other: string | null): void;
}

const LANGUAGES: Record<Language, () => Extension> = {
  yaml,
  json,
  toml: () => StreamLanguage.define(toml),
};
/** What stands before the first word of a key or a value. */
const BEGINS = /(^|[:=,[{"'-])\s*$/;
const SEVERITIES = { error: "error", warning: "warning", note: "info" } as const;

/** Colours are those of the page, which follow the viewer's setting. */
const HIGHLIGHT = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--key)" },
  { tag: [tags.string, tags.content], color: "var(--string)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--number)" },
  { tag: [tags.comment, tags.meta], color: "var(--quiet)" },
]);

/** Make the editor; `changed` is called after each change of the text. */
export function editor({ text, file, language, schema, nonce }: Beginning, changed: () => void): Editor {
  const comparison = new Compartment();
  const view = new EditorView({
    state: EditorState.create({
      doc: text,
      extensions: [
        EditorView.cspNonce.of(nonce),
        EditorView.contentAttributes.of({ "aria-label": file }),
        lineNumbers(),
        lintGutter(),
        history(),
        drawSelection(),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        highlightActiveLine(),
        highlightActiveLineGutter(),
        highlightSelectionMatches(),
        autocompletion({ icons: false, override: [(context) => completions(context, schema, language)] }),
        LANGUAGES[language](),
        syntaxHighlighting(HIGHLIGHT),
        comparison.of([]),
        keymap.of([
          { key: "Tab", run: acceptCompletion },
          ...closeBracketsKeymap,
          ...completionKeymap,
          ...lintKeymap,
          ...searchKeymap,
          ...historyKeymap,
          ...defaultKeymap,
        ]),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) changed();
        }),
      ],
    }),
  });

  return {
    element: view.dom,
    text: () => view.state.doc.toString(),
    replace: (other) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: other } }),
    mark(findings) {
      const found = findings.flatMap((finding) => diagnostic(view.state, finding, file) ?? []);
      view.dispatch(setDiagnostics(view.state, found));
    },
    goTo(line) {
      const { from } = view.state.doc.line(Math.min(line, view.state.doc.lines));
      view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: "center" }) });
      view.focus();
    },
    compare: (other) => {
      const shown = other === null ? [] : unifiedMergeView({ original: other, mergeControls: false });
      view.dispatch({ effects: comparison.reconfigure(shown) });
    },
  };
}

function diagnostic({ doc }: EditorState, finding: Finding, file: string): Diagnostic | undefined {
  if (finding.file !== file || !finding.line) return undefined;
  const line = doc.line(Math.min(finding.line, doc.lines));
  const indent = line.text.length - line.text.trimStart().length;
  const message = [finding.message, finding.fix && `Fix: ${finding.fix}`].filter(Boolean).join("\n");
  return { from: line.from + indent, to: line.to, severity: SEVERITIES[finding.severity], source: finding.code, message };
}

function completions(context: CompletionContext, schema: Schema, language: Language): CompletionResult | null {
  const { from, text } = context.matchBefore(/[\w.%+-]*/)!;
  const before = context.state.sliceDoc(context.state.doc.lineAt(from).from, from);
  if (!BEGINS.test(before)) return null;
  const place = placeIn(context.state.doc.toString(), context.pos, language);
  if (!place) return null;
  const found = optionsAt(schema, place);
  const options = context.explicit ? found : found.filter(({ kind }) => kind !== "example");
  if (!context.explicit && !isOfUse(options, text, place.key)) return null;
  const isQuoted = /["']$/.test(before);
  return { from, options: options.map((option) => completion(option, language, isQuoted)) };
}

/** Whether to offer `options` to somebody who has not asked for them: while a word is not complete, or a value is due. */
function isOfUse(options: Option[], word: string, key: string): boolean {
  if (!word) return key !== "";
  return options.every(({ label }) => label !== word);
}

function completion(option: Option, language: Language, isQuoted: boolean): Completion {
  const { label, kind, info, detail } = option;
  const type = { key: "property", value: "constant", example: "text" }[kind];
  return {
    label,
    type,
    apply: isQuoted ? label : written(option, language),
    info: info || undefined,
    detail: detail || (kind === "example" ? "example" : undefined),
    boost: kind === "example" ? -1 : 0,
  };
}

/** Return `option` as `language` writes it. */
function written({ label, kind }: Option, language: Language): string {
  if (kind === "key") return { yaml: `${label}: `, toml: `${label} = `, json: `"${label}": ` }[language];
  const isPlain = /^(true|false|[\d.]+(e[+-]?\d+)?)$/.test(label);
  return language === "yaml" || isPlain ? label : `"${label}"`;
}
