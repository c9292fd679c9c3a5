import { expect, test } from "vitest";

import { isOdd, measureLines, sampleRows, sparkOf, testLines } from "./quality";

const said = (testName: string, state: string, at: string) => ({
  test: testName,
  task: "orders",
  table_name: "public.orders",
  column_name: "id",
  severity: "error",
  state,
  failures: state === "failed" ? "3" : "0",
  run: at,
  at,
});

// Goal: a test is one line, its runs from left (old) to right (new).
test("lines of tests", () => {
  const lines = testLines([said("a", "failed", "2"), said("a", "passed", "1"), said("b", "passed", "2")]);
  expect(lines.map((line) => [line.test, line.runs.map((run) => run.state)])).toEqual([
    ["a", ["passed", "failed"]],
    ["b", ["passed"]],
  ]);
  expect(lines[0]!.runs[1]!.failures).toBe(3);
});

const measured = (value: number, low: number | null, high: number | null, state: string) => ({
  table_name: "public.orders",
  task: null,
  measure: "rows",
  at: "2026-11-01T00:00:00Z",
  value: String(value),
  expected: null,
  low: low === null ? null : String(low),
  high: high === null ? null : String(high),
  points: "5",
  basis: null,
  state,
  run: null,
});

// Goal: the chart begins at zero, has its band only where there is one, and marks what is outside of it.
test("a small chart", () => {
  const [line] = measureLines([
    measured(50, null, null, "few"),
    measured(50, 40, 60, "ok"),
    measured(100, 40, 60, "high"),
  ]);
  expect(isOdd(line)).toBe(true);
  const spark = sparkOf(line!.points, 100, 50, 0);
  expect(spark.line).toBe("0,25 50,25 100,0");
  expect(spark.bands).toEqual(["50,20 100,20 100,30 50,30"]);
  expect(spark.odd).toEqual([{ x: 100, y: 0 }]);
  expect(sparkOf([], 100, 50).line).toBe("");
  expect(sparkOf([line!.points[0]!], 100, 50, 0).line).toBe("50,0");
});

test("failing rows", () => {
  expect(sampleRows('[{"id":"1","n":null},{"id":"2","n":"3"}]')).toEqual({
    columns: ["id", "n"],
    rows: [
      ["1", null],
      ["2", "3"],
    ],
  });
  expect(sampleRows(null).rows).toEqual([]);
});
