// Goal: a tile's numbers read as its format says, and lose nothing without one. Method: cells and formats.
import { describe, expect, it } from "vitest";

import { compact, formatNumber, parseFormat } from "./number";

const shown = (cell: string | null, format: string) => formatNumber(cell, parseFormat(format));

describe("a tile's number", () => {
  it("follows its format", () => {
    expect([
      shown("1234.567", "number(2)"),
      shown("1234.567", "integer"),
      shown("0.1234", "percent"),
      shown("0.1234", "percent(0)"),
    ]).toEqual(["1,234.57", "1,235", "12.3 %", "12 %"]);
  });
  it("keeps every digit without one, but for the noise of doubles", () => {
    expect([
      shown("12345678901234567890", ""),
      shown("0.30000000000000004", ""),
      shown("2026", ""),
      shown("7.25", ""),
    ]).toEqual(["12,345,678,901,234,567,890", "0.3", "2026", "7.25"]);
  });
  it("is a dash when there is none", () => expect(shown(null, "number(2)")).toBe("–"));
  it("is short at axes", () =>
    expect([compact(1_250_000), compact(999), compact(0.5)]).toEqual(["1.3M", "999", "0.5"]));
});
