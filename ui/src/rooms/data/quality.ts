// Rows of `_tarn.tests` and `_tarn.measures` as the page shows them. Pure.
import type { Cell } from "../../api/client";

type Row = Record<string, Cell>;

export interface TestRun {
  run: string;
  at: string;
  state: string;
  failures: number;
}
export interface TestLine {
  key: string;
  test: string;
  kind: string; // unique, not_null; empty: a SQL file
  task: string;
  table: string; // empty: a SQL file
  column: string;
  severity: string;
  runs: TestRun[]; // oldest first
}

// As they come: newest first within a test.
export function testLines(rows: Row[]): TestLine[] {
  const lines = new Map<string, TestLine>();
  for (const row of rows) {
    const key = `${row.task} ${row.test}`;
    const line = lines.get(key) ?? {
      key,
      test: row.test!,
      kind: row.kind ?? "",
      task: row.task!,
      table: row.table_name ?? "",
      column: row.column_name ?? "",
      severity: row.severity!,
      runs: [],
    };
    line.runs.unshift({ run: row.run!, at: row.at!, state: row.state!, failures: Number(row.failures) });
    lines.set(key, line);
  }
  return [...lines.values()];
}

export interface Point {
  at: number; // ms
  value: number;
  expected: number | null;
  low: number | null;
  high: number | null;
  state: string;
  run: string;
  points: number;
  basis: string;
}
export interface MeasureLine {
  table: string;
  task: string;
  measure: string;
  points: Point[]; // oldest first
}

const numberOf = (cell: Cell | undefined) => (cell === null || cell === undefined ? null : Number(cell));
export function measureLines(rows: Row[]): MeasureLine[] {
  const lines = new Map<string, MeasureLine>();
  for (const row of rows) {
    const key = `${row.table_name} ${row.task ?? ""} ${row.measure}`;
    const line = lines.get(key) ?? {
      table: row.table_name!,
      task: row.task ?? "",
      measure: row.measure!,
      points: [],
    };
    line.points.push({
      at: Date.parse(row.at!),
      value: Number(row.value),
      expected: numberOf(row.expected),
      low: numberOf(row.low),
      high: numberOf(row.high),
      state: row.state!,
      run: row.run ?? "",
      points: Number(row.points),
      basis: row.basis ?? "",
    });
    lines.set(key, line);
  }
  return [...lines.values()];
}

export const isOdd = (line: MeasureLine | undefined): boolean => {
  const last = line?.points.at(-1);
  return last?.state === "high" || last?.state === "low";
};

export const measureNames: Record<string, string> = {
  rows: "Rows in the table",
  written: "Rows written",
  quarantined: "Rows refused",
  gap: "Hours between loads",
};

// A small chart: the line, the band of what is usual, and the points outside of it, in a box of width and height.
export interface Spark {
  line: string;
  bands: string[]; // a polygon for each stretch that has a band
  odd: { x: number; y: number }[];
  last?: { x: number; y: number };
}
function rangeOf(points: Point[]) {
  const values = points.flatMap((point) => [
    point.value,
    point.low ?? point.value,
    point.high ?? point.value,
  ]);
  const least = Math.min(0, ...values);
  const most = Math.max(0, ...values);
  return { least, most, range: most - least || 1 };
}
// Where the values 0 and the highest are.
export function marksOf(points: Point[], height: number, pad = 3): { value: number; y: number }[] {
  const { least, most, range } = rangeOf(points);
  const values = most > 0 ? [0, most] : [0];
  return values.map((value) => ({ value, y: height - pad - ((value - least) / range) * (height - 2 * pad) }));
}
export function sparkOf(points: Point[], width: number, height: number, pad = 3): Spark {
  if (!points.length) return { line: "", bands: [], odd: [] };
  const { least, range } = rangeOf(points);
  const round = (number: number) => Math.round(number * 10) / 10;
  const x = (i: number) =>
    round(points.length === 1 ? width / 2 : pad + (i / (points.length - 1)) * (width - 2 * pad));
  const y = (value: number) => round(height - pad - ((value - least) / range) * (height - 2 * pad));
  const bands: string[] = [];
  let from = 0;
  for (let i = 0; i <= points.length; i += 1) {
    if (i < points.length && points[i]!.low !== null) continue;
    if (i - from > 1) {
      const part = points.slice(from, i);
      const top = part.map((point, k) => `${x(from + k)},${y(point.high!)}`);
      const bottom = part.map((point, k) => `${x(from + k)},${y(point.low!)}`).reverse();
      bands.push([...top, ...bottom].join(" "));
    }
    from = i + 1;
  }
  const place = (point: Point, i: number) => ({ x: x(i), y: y(point.value) });
  return {
    line: points.map((point, i) => `${x(i)},${y(point.value)}`).join(" "),
    bands,
    odd: points.flatMap((point, i) =>
      point.state === "high" || point.state === "low" ? [place(point, i)] : [],
    ),
    last: place(points.at(-1)!, points.length - 1),
  };
}

// The failing rows that the records kept.
export function sampleRows(sample: string | null | undefined): { columns: string[]; rows: Cell[][] } {
  if (!sample) return { columns: [], rows: [] };
  const rows = JSON.parse(sample) as Row[];
  const columns = Object.keys(rows[0] ?? {});
  return { columns, rows: rows.map((row) => columns.map((column) => row[column] ?? null)) };
}
