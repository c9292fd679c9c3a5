// Goal: a tile can be put anywhere, and no two overlap after it.
import { expect, it } from "vitest";

import { put, within, type Box } from "./layout";

it("moves what is in the way down", () => {
  const boxes = new Map<string, Box>([
    ["a", [0, 0, 6, 2]],
    ["b", [6, 0, 6, 2]],
    ["c", [0, 2, 12, 3]],
  ]);
  expect(Object.fromEntries(put(boxes, "a", [3, 0, 6, 2]))).toEqual({
    a: [3, 0, 6, 2],
    b: [6, 2, 6, 2],
    c: [0, 4, 12, 3],
  });
  expect(Object.fromEntries(put(boxes, "c", [0, 9, 12, 3]))).toEqual({
    a: [0, 0, 6, 2],
    b: [6, 0, 6, 2],
    c: [0, 9, 12, 3],
  });
});

it("stays on the grid", () => {
  expect(within([11, -2, 6, 0])).toEqual([6, 0, 6, 1]);
  expect(within([-3, 1, 40, 2])).toEqual([0, 1, 12, 2]);
});
