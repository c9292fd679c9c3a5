// Goal: every task and every edge of the project has its place. Method: a diamond, a stranger, an unknown upstream.
import { expect, it } from "vitest";

import { kinOf, layOut, nodeWidth, withOutside } from "./layout";

const tasks = [
  { name: "raw", upstream: ["gone"] },
  { name: "left", upstream: ["raw"] },
  { name: "right", upstream: ["raw"] },
  { name: "mart", upstream: ["left", "right"] },
  { name: "other", upstream: [] },
];

it("places all, left to right", () => {
  const layout = layOut(tasks);
  const x = (name: string) => layout.nodes.find((node) => node.task.name === name)!.x;
  expect(layout.nodes).toHaveLength(5);
  expect(layout.edges).toHaveLength(4);
  expect(x("left") - x("raw")).toBeGreaterThan(nodeWidth);
  expect(x("mart")).toBeGreaterThan(x("right"));
  expect(layOut([]).nodes).toEqual([]);
});

it("knows kin in both directions, not siblings", () => {
  expect([...kinOf(tasks, "left")].sort()).toEqual(["left", "mart", "raw"].concat(["gone"]).sort());
});

it("has tables of attachments once, before who reads them", () => {
  const all = withOutside([
    { name: "a", upstream: [], outside: ["shop.public.orders"] },
    { name: "b", upstream: ["a"], outside: ["shop.public.orders", "erp.public.x"] },
  ]);
  expect(all.map((one) => one.name)).toEqual(["erp.public.x", "shop.public.orders", "a", "b"]);
  expect(all[3]!.upstream).toEqual(["a", "shop.public.orders", "erp.public.x"]);
  expect([...kinOf(all, "erp.public.x")].sort()).toEqual(["b", "erp.public.x"]);
  expect(layOut(all).edges).toHaveLength(4);
});
