import { describe, expect, it } from "vitest";
import { parseTime, windowsOf } from "../../cli/export/windows.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const now = Date.UTC(2026, 10, 28, 12, 34, 56);

describe("the windows of an export", () => {
  it.each([1, 47, 49, 24 * 60, 24 * 89, 24 * 91, 24 * 4_000])(
    "of %i hours follow each other and fit an answer",
    (hours) => {
      const from = now - hours * HOUR;
      const windows = windowsOf(from, now, now);
      expect(windows[0]!.from).toBe(from);
      expect(windows.at(-1)!.to).toBe(now);
      const later = windows.slice(1);
      expect(later.map((window) => window.from)).toEqual(windows.slice(0, -1).map((window) => window.to));
      expect(later.filter((window) => window.from % HOUR !== 0)).toEqual([]);
      expect(later.filter((window) => window.step === HOUR && window.from % DAY !== 0)).toEqual([]);
      expect(windows.filter((window) => (window.to - window.from) / window.step > 1_441)).toEqual([]);
    },
  );
});

it("times are dates, times and ages", () => {
  expect(
    ["7d", "-90m", "2026-11-01", "2026-11-01T06:00:00Z", "soon", "12"].map((text) => parseTime(text, now)),
  ).toEqual([
    now - 7 * DAY,
    now - 90 * 60_000,
    Date.UTC(2026, 10, 1),
    Date.UTC(2026, 10, 1, 6),
    undefined,
    undefined,
  ]);
});
