import { expect, test } from "vitest";

import { dayInWords, isDay } from "./dates";

// Goal: a day is said with its weekday, whatever the clock's zone; what is no day stays.
test("days in words", () => {
  expect(dayInWords("2026-10-30")).toBe("Fri 30 Oct 2026");
  expect(dayInWords("2024-02-29")).toBe("Thu 29 Feb 2024");
  expect(dayInWords("2024-02-31")).toBe("2024-02-31");
  expect(dayInWords("today - 30 days")).toBe("today - 30 days");
  expect(isDay("2026-1-1")).toBe(false);
});
