/** Where in a config's text a cursor stands, also while the text is not complete: between which keys, at a key or a value. */

export type Language = "yaml" | "toml" | "json";

/** A table of the text; the outermost one has no key. */
export interface Table {
  key: string;
  /** It is an item of the list that has the key. */
  isItem: boolean;
  /** Its keys with what is written behind them. */
  entries: Map<string, string>;
}

export interface Place {
  /** The tables around the cursor, the outermost first. */
  tables: Table[];
  /** The key whose value stands at the cursor; empty where a key stands. */
  key: string;
}

/** Return where `at` is in `text`. */
export function placeIn(text: string, at: number, language: Language): Place | undefined {
  const reader = new Reader(text, at, language);
  return language === "json" ? reader.flow() : reader.lines();
}

interface Frame extends Table {
  /** The column of its keys, in a block of YAML. */
  column: number;
  /** The key behind which the text stands now. */
  last: string;
}

const KEY = /^(?:"([^"]*)"|'([^']*)'|([\w.-]+))\s*[:=](?=\s|$|[{["'\d])/;

class Reader {
  private found: Place | undefined;
  private frames: Frame[] = [newFrame("", false, 0)];

  constructor(
    private text: string,
    private at: number,
    private language: Language,
  ) {}

  flow(): Place | undefined {
    const begin = this.text.indexOf("{");
    if (begin >= 0) this.brackets(begin);
    return this.found;
  }

  lines(): Place | undefined {
    let begin = 0;
    while (begin <= this.text.length) {
      const end = this.endOfLine(begin);
      const isHere = this.at >= begin && this.at <= end;
      begin = (this.language === "yaml" ? this.block(begin, end, isHere) : this.row(begin, end, isHere)) + 1;
    }
    return this.found;
  }

  /** Read a line of TOML, and return where it ends. */
  private row(begin: number, end: number, isHere: boolean): number {
    const line = this.text.slice(begin, end);
    const header = /^\s*(\[\[?)([\w.-]+)\]/.exec(line);
    if (header) {
      const keys = header[2]!.split(".");
      this.frames = [this.frames[0]!, ...keys.map((key, index) => newFrame(key, header[1] === "[[" && index === keys.length - 1, 0))];
      return end;
    }
    return this.pair(begin + indentOf(line), end, isHere);
  }

  /** Read a line of a block of YAML, and return where it ends. */
  private block(begin: number, end: number, isHere: boolean): number {
    const line = this.text.slice(begin, end);
    const bare = line.trimStart();
    if (bare.startsWith("#")) return end;
    // An empty line ends no table: where its cursor stands decides between which keys it is.
    if (!bare && !isHere) return end;
    let column = bare ? indentOf(line) : this.at - begin;
    let item = /^-(\s+|$)/.exec(line.slice(column));
    while (this.frames.length > 1 && this.top.column > column) this.frames.pop();
    while (item) {
      this.frames.push(newFrame(this.top.last, true, column + item[0].length));
      column += item[0].length;
      item = /^-(\s+|$)/.exec(line.slice(column));
    }
    if (column > this.top.column && this.top.last && this.top.entries.get(this.top.last) === "") {
      this.frames.push(newFrame(this.top.last, false, column));
    }
    return this.pair(begin + column, end, isHere);
  }

  private get top(): Frame {
    return this.frames.at(-1)!;
  }

  /** Read a key and its value, and return where they end. */
  private pair(begin: number, end: number, isHere: boolean): number {
    const match = KEY.exec(this.text.slice(begin, end));
    if (!match) {
      if (isBracket(this.text[begin])) return this.endOfLine(this.brackets(begin));
      if (isHere && this.at >= begin) this.find("");
      return end;
    }
    const key = match[1] ?? match[2] ?? match[3]!;
    const behind = begin + match[0].length;
    this.top.last = key;
    this.top.entries.set(key, "");
    if (isHere && this.at < behind) this.find("");
    return this.value(behind, end, isHere);
  }

  /** Read a value that begins in the line that ends at `end`, and return where its last line ends. */
  private value(begin: number, end: number, isHere: boolean): number {
    const start = begin + indentOf(this.text.slice(begin, end));
    if (start < end && isBracket(this.text[start])) return this.endOfLine(this.brackets(start));
    if (isHere && this.at >= begin) this.find(this.top.last);
    this.top.entries.set(this.top.last, plain(this.text.slice(begin, end)));
    return end;
  }

  /** Read what stands in brackets from `begin`, and return where it ends. */
  private brackets(begin: number): number {
    const depth = this.frames.length;
    const lists: boolean[] = [];
    let key = "";
    let start = begin;
    let quote = "";
    let at = begin;

    const close = (end: number) => {
      if (this.at >= start && this.at <= end) this.find(lists.at(-1) ? this.top.last : key);
      if (!lists.at(-1) && key) this.top.entries.set(key, plain(this.text.slice(start, end)));
      key = "";
    };
    for (; at < this.text.length; at += 1) {
      const character = this.text[at]!;
      if (quote) {
        if (character === "\\" && quote === '"') at += 1;
        else if (character === quote) quote = "";
      } else if (character === '"' || (character === "'" && /[\s,:=[{]/.test(this.text[at - 1]!))) {
        quote = character;
      } else if (character === "#" && /\s/.test(this.text[at - 1]!)) {
        at = this.endOfLine(at);
      } else if (character === "{") {
        const isWhole = !lists.length && !this.top.last; // an item of a block, or the text of JSON
        if (!isWhole) this.frames.push(newFrame(this.top.last, lists.at(-1) ?? false, Infinity));
        lists.push(false);
        key = "";
        start = at + 1;
      } else if (character === "[") {
        lists.push(true);
        start = at + 1;
      } else if (character === "," || character === "}" || character === "]") {
        close(at);
        start = at + 1;
        if (character === ",") continue;
        if (!lists.pop() && this.frames.length > depth) this.frames.pop();
        if (!lists.length) break;
        start = Infinity; // what stands behind a bracket is no key and no value
      } else if ((character === ":" || character === "=") && !lists.at(-1) && !key) {
        const written = this.text.slice(start, at);
        if (this.at >= start && this.at <= at) this.find("");
        key = plain(written);
        this.top.entries.set(key, "");
        this.top.last = key;
        start = at + 1;
      }
    }
    if (at >= this.text.length) close(this.text.length);
    this.frames.length = Math.min(this.frames.length, depth);
    return Math.min(at + 1, this.text.length);
  }

  private find(key: string): void {
    this.found ??= { tables: [...this.frames], key };
  }

  private endOfLine(from: number): number {
    const end = this.text.indexOf("\n", from);
    return end < 0 ? this.text.length : end;
  }
}

function newFrame(key: string, isItem: boolean, column: number): Frame {
  return { key, isItem, column, entries: new Map(), last: "" };
}

function isBracket(character: string | undefined): boolean {
  return character === "{" || character === "[";
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

/** Return a scalar without its quotes and without a comment behind it. */
function plain(written: string): string {
  const text = written.trim();
  const quoted = /^"([^"]*)"|^'([^']*)'/.exec(text);
  return quoted ? (quoted[1] ?? quoted[2])! : text.replace(/(^|\s)#.*$/, "").trim();
}
