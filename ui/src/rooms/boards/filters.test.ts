// Goal: filters survive the URL, and two dates that belong together are one control.
import { expect, it } from "vitest";

import type { FilterConfig } from "../../api/boards";
import { controlsOf, givenOf, queryOf } from "./filters";

const filter = (name: string, type: FilterConfig["type"]): FilterConfig => ({
  name,
  type,
  label: name,
  description: "",
  required: false,
  default: [],
  choices: [],
  asks: false,
});

it("through the URL and back", () => {
  const filters = [filter("symbols", "list"), filter("from", "date"), filter("to", "date")];
  let query = queryOf({ tab: "x" }, "symbols", ["A", "B"]);
  query = queryOf(query, "from", ["2026-01-01"]);
  expect(query).toEqual({ tab: "x", "f.symbols": ["A", "B"], "f.from": ["2026-01-01"] });
  expect(givenOf(query, filters)).toEqual({ symbols: ["A", "B"], from: ["2026-01-01"] });
  expect(givenOf(queryOf(query, "symbols", []), filters)).toEqual({ symbols: [], from: ["2026-01-01"] });
  expect(givenOf(queryOf(query, "symbols", undefined), filters)).toEqual({ from: ["2026-01-01"] });
  expect(givenOf({ "f.else": "1" }, filters)).toEqual({});
});

it("pairs of dates", () => {
  const kinds = (filters: FilterConfig[]) =>
    controlsOf(filters).map((one) => `${one.filter.name}${one.to ? `..${one.to.name}` : ""}`);
  expect(kinds([filter("day_from", "date"), filter("city", "text"), filter("day_to", "date")])).toEqual([
    "day_from..day_to",
    "city",
  ]);
  expect(kinds([filter("from", "date"), filter("to", "text")])).toEqual(["from", "to"]);
  expect(kinds([filter("to", "date")])).toEqual(["to"]);
});
