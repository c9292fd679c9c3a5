// Goal: a pivot sums what meets, keeps what is missing apart from zero, and orders as the query does.
import { expect, it } from "vitest";

import type { TileConfig, TileData } from "../../api/boards";
import { pivotOf } from "./pivot";

const tile = { channels: { rows: ["City"], columns: ["month"], value: ["rain"] } } as unknown as TileConfig;
const data = {
  columns: [
    { name: "city", type: "VARCHAR" },
    { name: "month", type: "VARCHAR" },
    { name: "rain", type: "DOUBLE" },
  ],
  rows: [
    ["Delft", "Feb", "1"],
    ["Delft", "Jan", "2"],
    ["Gouda", "Jan", null],
    ["Delft", "Jan", "3.5"],
    [null, "Feb", "0"],
  ],
} as unknown as TileData;

it("a pivot", () => {
  expect(pivotOf(tile, data)).toEqual({
    rowNames: ["city"],
    columns: ["Feb", "Jan"],
    rows: [
      { keys: ["Delft"], cells: [1, 5.5], total: 6.5 },
      { keys: ["Gouda"], cells: [null, null], total: null },
      { keys: [null], cells: [0, null], total: 0 },
    ],
    totals: [1, 5.5],
    total: 6.5,
  });
});
