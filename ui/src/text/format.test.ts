// Goal: what is shown says the same as what is there. Method: edges of each format.
import { describe, expect, it } from "vitest";

import { ago, bytes, duration, groupDigits, isNumberType, withLocalTimes } from "./format";

describe("format", () => {
  it("groups digits without losing any", () => {
    expect(groupDigits("12345678901234567890.12")).toBe("12,345,678,901,234,567,890.12");
    expect(groupDigits("-10000")).toBe("-10,000");
    expect(groupDigits("2026")).toBe("2026");
    expect(groupDigits("1e30")).toBe("1e30");
  });
  it("tells sizes and spans", () => {
    expect(bytes(999)).toBe("999 B");
    expect(bytes(1_250_000)).toBe("1.3 MB");
    expect(duration(999)).toBe("999 ms");
    expect(duration(61_000)).toBe("1 min 1 s");
    expect(ago(0, 3000)).toBe("just now");
    expect(ago(0, 7_200_000)).toBe("2 h ago");
    expect(ago(60_000, 0)).toBe("in 1 min");
  });
  it("says times of the server on the clock of the reader", () => {
    const at = new Date("2026-11-21T17:06:50.262Z").toLocaleString("en-GB", {
      dateStyle: "medium",
      timeStyle: "short",
    });
    expect(withLocalTimes("updated at 2026-11-21T17:06:50.262556Z, after this")).toBe(
      `updated at ${at}, after this`,
    );
    expect(withLocalTimes("2026-11-21")).toBe("2026-11-21");
  });
  it("knows which columns are numbers", () => {
    expect(isNumberType("DECIMAL(18,3)")).toBe(true);
    expect(isNumberType("INTEGER[]")).toBe(false);
    expect(isNumberType("INTERVAL")).toBe(false);
  });
});
