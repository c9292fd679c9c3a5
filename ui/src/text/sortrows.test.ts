// Goal: sorting a result by a column is right for numbers, texts and nulls. Method: small rows, both ways.
import { expect, it } from "vitest";

import { sortedOrder } from "./sortrows";

const rows = [
  ["10", "b"],
  [null, "a"],
  ["9", "b"],
  ["-1.5", null],
];

it("sorts numbers by value, nulls last", () => {
  expect([...sortedOrder(rows, 0, true, false)]).toEqual([3, 2, 0, 1]);
  expect([...sortedOrder(rows, 0, true, true)]).toEqual([0, 2, 3, 1]);
});

it("sorts texts and keeps the order of equal ones", () => {
  expect([...sortedOrder(rows, 1, false, false)]).toEqual([1, 0, 2, 3]);
  expect([...sortedOrder(rows, 1, false, true)]).toEqual([0, 2, 1, 3]);
});
