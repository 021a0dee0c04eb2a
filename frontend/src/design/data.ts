/** What the server of `schedframe design` sends, as schedframe/_tools/design/ writes it. */

import type { Finding, Page } from "../data";
import type { Schema } from "./completion";
import type { Language } from "./place";

/** What the page begins with. */
export interface Beginning {
  name: string;
  file: string;
  language: Language;
  text: string;
  /** The file does not exist; `text` is a proposal. */
  isNew: boolean;
  fingerprint: string;
  notes: string[];
  schema: Schema;
  nonce: string;
}

/** What a text declares. */
export interface Checked {
  /** `null` where the text cannot be loaded, or its curves cannot be drawn. */
  page: Page | null;
  summary: string;
  findings: Finding[];
  notes: string[];
}

/** What stands on disk; `null` where there is no file. */
export interface Kept {
  text: string | null;
  fingerprint: string;
}
