import { expect, test } from "vitest";

import { byValue } from "./byvalue";

// Goal: numbers by size, texts as people sort them, what is missing last whichever way, equals as they were.
test("sorting by a value", () => {
  expect(byValue([10, 9, null, 100], (value) => value, false)).toEqual([9, 10, 100, null]);
  expect(byValue([10, 9, null, 100], (value) => value, true)).toEqual([100, 10, 9, null]);
  expect(byValue(["b10", "B9", "", "a"], (value) => value, false)).toEqual(["a", "B9", "b10", ""]);
  const rows = [
    { name: "x", at: 1 },
    { name: "y", at: 1 },
    { name: "z", at: 0 },
  ];
  expect(byValue(rows, (row) => row.at, true).map((row) => row.name)).toEqual(["x", "y", "z"]);
});
