// Goal: the palette finds what was meant. Method: names as the demo has them.
import { expect, it } from "vitest";

import { rank } from "./rank";

const names = ["mart_prices", "prices", "raw_bars", "stg_bars", "mart_price_summary"];
const find = (asked: string) => rank(asked, names, (name) => name);

it("begins before inside before scattered", () => {
  expect(find("prices")).toEqual(["prices", "mart_prices", "mart_price_summary"]);
  expect(find("bars")[0]).toBe("raw_bars");
  expect(find("mps")).toEqual(["mart_prices", "mart_price_summary"]);
  expect(find("zzz")).toEqual([]);
  expect(find("")).toEqual(names);
});
