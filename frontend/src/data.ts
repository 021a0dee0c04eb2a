/** What the page shows, as schedframe/_tools/views/page/data.py writes it. Positions are in each unit, by its name. */

export interface Phase {
  name: string;
  begin: number;
  end: number;
}

export interface Finding {
  code: string;
  name: string;
  severity: "error" | "warning" | "note";
  subject: string;
  message: string;
  fix: string;
  role: string;
  file: string;
  line: number | null;
}

export interface Text {
  file: string;
  text: string;
}

export interface ScheduleFile {
  name: string;
  summary: string;
  /** The roles of its param groups. */
  roles: string[];
  /** The unit of the scheduler's count. */
  clock: string;
  /** Rising; every curve of the file has a value at each. */
  positions: Record<string, number[]>;
  /** Those of its default param groups, for reading. */
  phases: Record<string, Phase[]>;
  findings: Finding[];
  /** The file, and those that it extends. */
  texts: Text[];
}

export interface Curve {
  label: string;
  /** The index of its file. */
  file: number;
  role: string;
  /** One for each position of its file; null where the curve has none. */
  values: (number | null)[];
  /** Its points at which its own phases begin, where those are not the panel's. */
  borders: Record<string, [number, number][]>;
}

/** Between which values the curve of a file is expected, at the positions of the file. */
export interface Band {
  file: number;
  lower: (number | null)[];
  upper: (number | null)[];
}

/** Values that were measured. */
export interface Dots {
  label: string;
  at: Record<string, number[]>;
  values: number[];
}

export interface Panel {
  quantity: string;
  title: string;
  /** What is shaded and named. */
  phases: Record<string, Phase[]>;
  curves: Curve[];
  bands?: Band[];
  dots?: Dots[];
}

export interface Mark {
  label: string;
  at: Record<string, number>;
}

export interface Page {
  title: string;
  unit: string;
  units: string[];
  log: boolean;
  files: ScheduleFile[];
  panels: Panel[];
  marks: Mark[];
  /** What the points of `Curve.borders` are called. */
  border: string;
}

/** The positions of a file in a unit. */
export function positionsOf(file: ScheduleFile, unit: string): number[] {
  return file.positions[unit] ?? [];
}

/** A name for the param groups with one role of one file. */
export function groupOf(curve: Curve): string {
  return `${curve.file}/${curve.role}`;
}
