// Goal: a heat map's axes read in an order that means something, and missing pairs stay empty.
import { expect, it } from "vitest";

import type { TileConfig, TileData } from "../../api/boards";
import { cellsOf, inOrder } from "./option";

it("orders numbers and dates, and leaves names as they come", () => {
  expect(inOrder(new Set(["10", "9", "02"]))).toEqual(["02", "9", "10"]);
  expect(inOrder(new Set(["2026-02", "2025-12"]))).toEqual(["2025-12", "2026-02"]);
  expect(inOrder(new Set(["Mon", "Tue", "Fri"]))).toEqual(["Mon", "Tue", "Fri"]);
});

it("places cells", () => {
  const tile = { channels: { x: ["m"], y: ["y"], value: ["v"] } } as unknown as TileConfig;
  const data = {
    columns: [{ name: "m" }, { name: "y" }, { name: "v" }],
    rows: [
      ["02", "2000", "1"],
      ["01", "2001", "-3"],
      ["01", "2000", null],
    ],
  } as unknown as TileData;
  expect(cellsOf({ tile, data })).toEqual({
    across: ["01", "02"],
    down: ["2000", "2001"],
    cells: [
      [1, 0, 1],
      [0, 1, -3],
    ],
    least: -3,
    most: 1,
  });
});
