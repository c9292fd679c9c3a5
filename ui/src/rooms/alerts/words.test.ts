import { expect, test } from "vitest";

import type { Alert } from "../../api/alerts";
import type { OverviewTask } from "../../api/client";
import { lostOf, markOf, mayAgain, waysOf } from "./words";

const alert = (some: Partial<Alert>): Alert => ({
  event: "failure",
  recovered_from: null,
  subject: "raw_bars",
  headline: "raw_bars failed",
  text: "no answer",
  task: "raw_bars",
  kind: "source",
  path: "sources/raw_bars.yml",
  rows: 0,
  skipped: 0,
  run: "r1",
  schedule: "",
  at: "2026-11-29T10:00:00Z",
  since: "2026-11-29T10:00:00Z",
  id: 1,
  over_at: null,
  channel: "me",
  state: "unknown",
  tries: 1,
  message: "m1",
  answer: "Tarn was stopped while it was sent",
  finished_at: null,
  ...some,
});
const tasks = [
  { name: "raw_bars", writes: ["public.raw.bars"], last_done_at: "2026-11-28T10:00:00Z" },
  { name: "never", writes: ["public.never"], last_done_at: null },
] as unknown as OverviewTask[];

test("an alert leads to the run, the task and the table behind it, and to what its event is about", () => {
  expect(waysOf(alert({}), tasks).map((way) => way.name)).toEqual(["Run", "Task", "Table"]);
  expect(waysOf(alert({}), tasks)[2]!.to).toEqual({
    name: "table",
    params: { schema: "public", name: "raw.bars" },
  });
  expect(waysOf(alert({ task: "never" }), tasks).map((way) => way.name)).toEqual(["Run", "Task"]);
  expect(waysOf(alert({ event: "quarantine" }), tasks).map((way) => way.name)).toContain("Refused rows");
  const test = alert({ event: "recovery", recovered_from: "test", kind: "test", task: "no_cheap", run: "" });
  expect(waysOf(test, tasks)).toEqual([
    { name: "Tests", to: { name: "quality", query: { find: "no_cheap" } } },
  ]);
  expect(waysOf(alert({ task: "mail:prices", path: "reports/prices.yml" }), tasks).at(-1)!.to).toEqual({
    name: "report",
    params: { name: "prices" },
  });
});

test("a warning is told from a failure, and the end from both", () => {
  expect(markOf(alert({ event: "test", text: "warning: two rows" }))).toBe("warned");
  expect(markOf(alert({ event: "test" }))).toBe("failed");
  expect(markOf(alert({ event: "recovery" }))).toBe("done");
  expect(markOf(alert({ event: "lateness" }))).toBe("late");
});

test("what is over is not sent again, its end is", () => {
  const over = { over_at: "2026-11-29T11:00:00Z" };
  expect(mayAgain(alert({}))).toBe(true);
  expect(mayAgain(alert({ state: "sent" }))).toBe(false);
  expect(mayAgain(alert(over))).toBe(false);
  expect(mayAgain(alert({ ...over, event: "recovery" }))).toBe(true);
});

test("alerts that went in one message are asked about once, by one that may be sent again", () => {
  const lost = lostOf([
    alert({ id: 3, over_at: "2026-11-29T11:00:00Z" }),
    alert({ id: 2 }),
    alert({ id: 4, message: "m2", state: "sent" }),
    alert({ id: 5, message: "m3", channel: "team" }),
  ]);
  expect(lost.map((one) => [one.channel, one.first.id, one.alerts.length, one.again])).toEqual([
    ["me", 2, 2, true],
    ["team", 5, 1, true],
  ]);
});
