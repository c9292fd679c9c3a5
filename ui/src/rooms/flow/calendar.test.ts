import { expect, test } from "vitest";

import type { CalendarCell } from "../../api/client";
import { addDays, dayName, daysFrom, linesOf, weekOf, wordsOf } from "./calendar";

const cell = (
  schedule: string,
  state: CalendarCell["state"],
  count: number,
  first: string,
): CalendarCell => ({
  at: "2026-10-25",
  schedule,
  state,
  count,
  first_at: first,
  last_at: first,
  run: "",
  reason: "",
});

// Goal: weeks begin on Monday, also across a year; days are counted without any clock.
test("days and weeks", () => {
  expect(weekOf("2026-11-29")).toBe("2026-11-23");
  expect(weekOf("2026-11-23")).toBe("2026-11-23");
  expect(weekOf("2027-01-01")).toBe("2026-12-28");
  expect(addDays("2026-02-28", 1)).toBe("2026-03-01");
  expect(daysFrom("2026-10-24", 3)).toEqual(["2026-10-24", "2026-10-25", "2026-10-26"]);
  expect(dayName("2026-10-25")).toBe("Sun 25 Oct");
});

// Goal: one line a schedule, by its first time in the zone, what failed first.
test("lines of a day", () => {
  const lines = linesOf(
    [
      cell("often", "done", 94, "2026-10-24T22:15:00Z"),
      cell("often", "failed", 2, "2026-10-24T23:00:00Z"),
      cell("nightly", "due", 1, "2026-10-24T22:00:00Z"),
      { ...cell("other day", "due", 1, "2026-10-26T22:00:00Z"), at: "2026-10-27" },
    ],
    "2026-10-25",
    "Europe/Amsterdam",
  );
  expect(lines.map((line) => `${line.at} ${line.schedule}: ${wordsOf(line)}`)).toEqual([
    "00:00 nightly: due",
    "00:15 often: 2 failed, 94 done",
  ]);
});
