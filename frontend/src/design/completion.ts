/** What may stand at a place of a config, from its JSON Schema: keys with their descriptions, styles, other values. */

import type { Place } from "./place";

/** A schema, or a part of one. */
export interface Schema {
  $ref?: string;
  $defs?: Record<string, Schema>;
  properties?: Record<string, Schema | false>;
  items?: Schema;
  anyOf?: Schema[];
  allOf?: Schema[];
  if?: Schema;
  then?: Schema;
  enum?: unknown[];
  const?: unknown;
  type?: string | string[];
  description?: string;
  default?: unknown;
  examples?: unknown[];
}

export interface Option {
  label: string;
  kind: "key" | "value" | "example";
  /** What it means, in a sentence. */
  info: string;
  /** Its default, where it is a key with one. */
  detail: string;
}

/** Return what may stand at `place`, without the keys that its table has. */
export function optionsAt(schema: Schema, place: Place): Option[] {
  const properties = propertiesAt(schema, place);
  if (place.key) return valuesOf(schema, properties.get(place.key) ?? []);
  const { entries } = place.tables.at(-1)!;
  return [...properties].filter(([key]) => !entries.has(key)).map(([key, parts]) => keyOf(schema, key, parts));
}

function propertiesAt(schema: Schema, place: Place): Map<string, Schema[]> {
  let properties = new Map<string, Schema[]>();
  for (const [depth, table] of place.tables.entries()) {
    let parts = depth ? (properties.get(table.key) ?? []) : [schema];
    if (table.isItem) parts = parts.flatMap((part) => alternatives(schema, part)).flatMap(({ items }) => items ?? []);
    properties = new Map();
    for (const part of parts.flatMap((each) => alternatives(schema, each, table.entries.get("style")))) {
      for (const [key, inner] of Object.entries(part.properties ?? {})) {
        if (inner) properties.set(key, [...(properties.get(key) ?? []), inner]);
      }
    }
  }
  return properties;
}

/** Return every part that a value of `part` may fit, references followed; of a table of a style that of the style. */
function alternatives(schema: Schema, part: Schema, style?: string): Schema[] {
  const inner = [
    ...(part.$ref ? [referred(schema, part.$ref)] : []),
    ...(part.anyOf ?? []),
    ...(part.allOf ?? []).flatMap((each) => (isOf(each, style) && each.then ? [each.then] : [])),
  ];
  return [part, ...inner.flatMap((each) => alternatives(schema, each, style))];
}

function isOf(conditional: Schema, style: string | undefined): boolean {
  const chosen = conditional.if?.properties?.style;
  return style !== undefined && !!chosen && (chosen.enum ?? []).includes(style);
}

function referred(schema: Schema, reference: string): Schema {
  const steps = reference.replace(/^#\//, "").split("/").map((step) => decodeURIComponent(step));
  return steps.reduce((part: any, step) => part?.[step], schema) ?? {};
}

function keyOf(schema: Schema, key: string, parts: Schema[]): Option {
  const all = parts.flatMap((part) => alternatives(schema, part));
  const standard = all.find((part) => part.default !== undefined && part.default !== null)?.default;
  return {
    label: key,
    kind: "key",
    info: all.find(({ description }) => description)?.description ?? "",
    detail: typeof standard === "object" || standard === undefined ? "" : String(standard),
  };
}

function valuesOf(schema: Schema, parts: Schema[]): Option[] {
  const all = parts.flatMap((part) => alternatives(schema, part));
  const found = new Map<string, Option>();
  const add = (value: unknown, kind: Option["kind"], info = "") => {
    const label = String(value);
    if (value !== null && typeof value !== "object" && !found.has(label)) found.set(label, { label, kind, info, detail: "" });
  };
  for (const part of all) {
    for (const value of part.enum ?? []) add(value, "value", describedStyle(schema, all, value));
    if (part.const !== undefined) add(part.const, "value");
    if (part.type === "boolean") [true, false].forEach((value) => add(value, "value"));
  }
  for (const part of all) for (const value of part.examples ?? []) add(value, "example");
  return [...found.values()];
}

/** Return the description of the style that `value` names, where one of `parts` is a choice of styles. */
function describedStyle(schema: Schema, parts: Schema[], value: unknown): string {
  const chosen = parts.flatMap((part) => part.allOf ?? []).find((each) => isOf(each, String(value)));
  return (chosen?.then?.$ref && referred(schema, chosen.then.$ref).description) || "";
}
