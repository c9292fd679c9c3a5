// Goal: a chart shows what the result says: gaps as gaps, bars from zero, series by name. Method: small results.
import { describe, expect, it } from "vitest";

import type { SqlRows } from "../../api/client";
import { fits, optionOf, seriesOf, suggest, type ChartChoice } from "./chart";

const result = (types: Record<string, string>, rows: (string | null)[][]): SqlRows => ({
  columns: Object.entries(types).map(([name, type]) => ({ name, type })),
  rows,
  changed: null,
  cut: false,
});
const prices = result({ symbol: "VARCHAR", day: "DATE", close: "DOUBLE", volume: "BIGINT" }, [
  ["A", "2026-01-01", "1.5", "10"],
  ["B", "2026-01-01", null, "20"],
  ["A", "2026-01-02", "2.5", "30"],
]);
const look = { colors: ["#000"], text: "", muted: "", line: "", surface: "" };

describe("a proposed chart", () => {
  it("puts time across, a number up, and splits by a repeating name", () => {
    expect(suggest(prices)).toEqual({ kind: "line", x: "day", y: ["close"], by: "symbol" });
  });
  it("is bars over names", () => {
    const counts = result({ city: "VARCHAR", n: "BIGINT" }, [
      ["x", "1"],
      ["y", "2"],
    ]);
    expect(suggest(counts)).toEqual({ kind: "bar", x: "city", y: ["n"], by: "" });
  });
  it("needs rows, a number and something to set it against", () => {
    expect(suggest(result({ n: "BIGINT" }, [["1"]]))).toBeUndefined();
    expect(suggest(result({ city: "VARCHAR" }, [["x"]]))).toBeUndefined();
    expect(suggest(result({ city: "VARCHAR", n: "BIGINT" }, []))).toBeUndefined();
  });
});

describe("series", () => {
  const choice: ChartChoice = { kind: "line", x: "day", y: ["close"], by: "symbol" };
  it("keep nulls as gaps", () => {
    expect(seriesOf(prices, choice).series).toEqual([
      {
        name: "A",
        points: [
          ["2026-01-01", 1.5],
          ["2026-01-02", 2.5],
        ],
      },
      { name: "B", points: [["2026-01-01", null]] },
    ]);
  });
  it("are at most six, and say how many were left out", () => {
    const many = result(
      { name: "VARCHAR", n: "BIGINT" },
      Array.from({ length: 8 }, (_, i) => [`s${i}`, "1"]),
    );
    const { series, left } = seriesOf(many, { kind: "bar", x: "n", y: ["n"], by: "name" });
    expect([series.length, left]).toEqual([6, 2]);
  });
  it("of bars begin at zero", () => {
    const axis = (kind: ChartChoice["kind"]) =>
      (optionOf(prices, { ...choice, kind }, look).yAxis as { scale: boolean }).scale;
    expect([axis("bar"), axis("stacked"), axis("area"), axis("line")]).toEqual([false, false, false, true]);
  });
});

it("a choice of another result does not fit", () => {
  expect(fits({ kind: "bar", x: "city", y: ["n"], by: "" }, prices.columns)).toBe(false);
  expect(fits({ kind: "bar", x: "day", y: [], by: "" }, prices.columns)).toBe(false);
  expect(fits({ kind: "bar", x: "day", y: ["close"], by: "symbol" }, prices.columns)).toBe(true);
});
