// Rows against columns: sums of a value, with sums of sums. Pure.
import type { TileConfig, TileData } from "../../api/boards";
import { columnIndex } from "../kinds";

export interface Pivot {
  rowNames: string[]; // of the columns that lead a row
  columns: string[];
  rows: { keys: (string | null)[]; cells: (number | null)[]; total: number | null }[];
  totals: (number | null)[];
  total: number | null;
}

const add = (sum: number | null, value: number | null) => (value === null ? sum : (sum ?? 0) + value);

export function pivotOf(tile: TileConfig, data: TileData): Pivot {
  const lead = (tile.channels.rows ?? []).map((name) => columnIndex(data, name));
  const across = columnIndex(data, tile.channels.columns?.[0]);
  const value = columnIndex(data, tile.channels.value?.[0]);
  const columns = new Map<string, number>();
  const rows = new Map<string, Pivot["rows"][number]>();
  for (const row of data.rows) {
    const name = row[across] ?? "null";
    if (!columns.has(name)) columns.set(name, columns.size);
    const keys = lead.map((at) => row[at] ?? null);
    const key = JSON.stringify(keys);
    let line = rows.get(key);
    if (!line) rows.set(key, (line = { keys, cells: [], total: null }));
    const at = columns.get(name)!;
    const cell = row[value];
    const number = cell === null || cell === undefined ? null : Number(cell);
    line.cells[at] = add(line.cells[at] ?? null, number);
    line.total = add(line.total, number);
  }
  const names = [...columns.keys()];
  const lines = [...rows.values()].map((line) => ({
    ...line,
    cells: names.map((_, i) => line.cells[i] ?? null),
  }));
  return {
    rowNames: lead.map((at) => data.columns[at]?.name ?? ""),
    columns: names,
    rows: lines,
    totals: names.map((_, i) => lines.reduce<number | null>((sum, line) => add(sum, line.cells[i]!), null)),
    total: lines.reduce<number | null>((sum, line) => add(sum, line.total), null),
  };
}
