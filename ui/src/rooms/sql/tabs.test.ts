// @vitest-environment happy-dom
// Goal: what a browser kept comes back whole, whatever it is; tabs have names one knows. Method: texts of the store.
import { describe, expect, it } from "vitest";

import { localTime, utcTime } from "./moment";
import { readAsked, readTabs, titleOf, withAsked } from "./tabs";

describe("kept tabs", () => {
  it("survive what is broken or of an older version", () => {
    expect(readTabs("{")).toEqual([]);
    expect(readTabs('{"a":1}')).toEqual([]);
    expect(readTabs(null)).toEqual([]);
    expect(readTabs('[1, null, {"id": "a"}, {"id": "b", "sql": "select 1"}]')).toEqual([
      { id: "b", name: "", sql: "select 1", asOf: "", view: "rows" },
    ]);
    expect(readAsked('[{"sql": "x"}, {"sql": "y", "at": 1}]')).toHaveLength(1);
  });
  it("are called by their name, comment or table", () => {
    expect(titleOf({ name: "Mine", sql: "select 1" })).toBe("Mine");
    expect(titleOf({ name: "", sql: "-- last week\nselect 1 from t" })).toBe("last week");
    expect(titleOf({ name: "", sql: 'select *\nfrom "a"."b"' })).toBe("a.b");
    expect(titleOf({ name: "", sql: "\nselect 1" })).toBe("select 1");
    expect(titleOf({ name: "", sql: "  " })).toBe("New query");
  });
});

it("history has a text once, newest first", () => {
  const one = (sql: string, at: number) => ({ sql, at, ms: 1, rows: 1, error: "" });
  expect(withAsked([one("a", 1), one("b", 2)], one("a", 3)).map((each) => each.at)).toEqual([3, 2]);
});

it("a local time and a UTC time are the same moment", () => {
  const utc = "2026-07-01T10:20:30.000Z";
  expect(utcTime(localTime(utc))).toBe(utc);
  expect(localTime("")).toBe("");
  expect(utcTime("")).toBe("");
});
