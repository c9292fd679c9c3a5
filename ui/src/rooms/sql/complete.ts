// What the editor proposes: schemas and tables, the columns of the tables that the text names, functions.
import type { Completion } from "@codemirror/autocomplete";

import { quoteName, type Cell } from "../../api/client";
import { sqlWords } from "../../text/sqlwords";

export interface CatalogTable {
  outside: string; // the attachment that it is in; empty: none
  schema: string;
  name: string;
  columns: { name: string; type: string }[];
}

// Rows of schema, table, column, type, attachment, in that order.
export function catalogOf(rows: Cell[][]): CatalogTable[] {
  const tables: CatalogTable[] = [];
  for (const [schema, name, column, type, outside] of rows) {
    let last = tables.at(-1);
    if (last?.schema !== schema || last?.name !== name || last?.outside !== (outside ?? "")) {
      tables.push((last = { outside: outside ?? "", schema: schema ?? "", name: name ?? "", columns: [] }));
    }
    last!.columns.push({ name: column ?? "", type: type ?? "" });
  }
  return tables;
}

const words = new Set(sqlWords);
export const inSql = (name: string): string =>
  /^[a-z_][a-z0-9_]*$/.test(name) && !words.has(name) ? name : quoteName(name);
export const tableInSql = (table: { outside?: string; schema: string; name: string }): string =>
  table.outside
    ? `${inSql(table.outside)}.${inSql(table.schema)}.${inSql(table.name)}`
    : table.schema === "public"
      ? inSql(table.name)
      : `${inSql(table.schema)}.${inSql(table.name)}`;

const naming = /\b(?:from|join|into|update|table|describe)\s+((?:"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+)){0,2})/gi;
const plain = (name: string) => name.replaceAll('"', "").toLowerCase();

export function tablesNamed(sql: string, catalog: CatalogTable[]): CatalogTable[] {
  const wanted = new Set([...sql.matchAll(naming)].map((match) => plain(match[1]!)));
  return catalog.filter(({ outside, schema, name }) => {
    const short = name.toLowerCase();
    const full = `${schema.toLowerCase()}.${short}`;
    if (outside) return wanted.has(`${outside}.${full}`) || wanted.has(`${outside}.${short}`);
    return wanted.has(full) || (schema === "public" && wanted.has(short));
  });
}

// Columns come before all else: once the tables stand there they are what one writes.
export function columnOptions(sql: string, catalog: CatalogTable[]): Completion[] {
  const options = new Map<string, Completion>();
  for (const table of tablesNamed(sql, catalog)) {
    for (const { name, type } of table.columns) {
      if (!options.has(name))
        options.set(name, {
          label: name,
          apply: inSql(name),
          type: "property",
          detail: type.toLowerCase(),
          boost: 20,
        });
    }
  }
  return [...options.values()];
}

export interface Namespace {
  [name: string]: Namespace | Completion[];
}
export function namespaceOf(catalog: CatalogTable[]): Namespace {
  const all: Namespace = {};
  for (const table of catalog) {
    const home = (table.outside ? (all[table.outside] ??= {}) : all) as Namespace;
    ((home[table.schema] ??= {}) as Namespace)[table.name] = table.columns.map(({ name, type }) => ({
      label: name,
      apply: inSql(name),
      type: "property",
      detail: type.toLowerCase(),
    }));
  }
  return all;
}

// Rows of name and description.
export const functionOptions = (rows: Cell[][]): Completion[] =>
  rows.map(([name, about]) => ({
    label: name ?? "",
    apply: `${name}(`,
    type: "function",
    info: about || undefined,
    boost: -10,
  }));
