import { describe, expect, it } from "vitest";
import { parseDuration, parseTime } from "../../src/http/parse-time.ts";

const now = Date.UTC(2026, 10, 24, 12);

describe("a time", () => {
  it.each([
    ["now", now],
    ["-1h", now - 3_600_000],
    ["now-1h", now - 3_600_000],
    ["-2w", now - 14 * 86_400_000],
    ["1795449600000", 1_795_449_600_000],
    ["0", 0],
    ["2026-11-24", Date.UTC(2026, 10, 24)],
    ["2026-11-24T09:30", Date.UTC(2026, 10, 24, 9, 30)],
    ["2026-11-24T09:30:15.5Z", Date.UTC(2026, 10, 24, 9, 30, 15, 500)],
    ["2026-11-24T09:30:00+02:00", Date.UTC(2026, 10, 24, 7, 30)],
    ["2024-02-29", Date.UTC(2024, 1, 29)],
  ])("may be written as %s", (text, time) => {
    expect(parseTime(text, now)).toBe(time);
  });

  it.each([
    "2026-02-30",
    "2026-02-29",
    "2026-04-31",
    "2026-13-01",
    "2026-00-10",
    "2026-11-24T24:30Z",
    "2026-11-24T09:60Z",
    "2026-11-24T09:30:00+25:00",
    "2026-11-24T09:30:00+02",
    "+010000-01-01",
    "10000-01-01",
    "yesterday",
    "now+1h",
    "-1x",
    "-99999999w",
    "",
  ])("is not %s", (text) => {
    expect(parseTime(text, now)).toBeUndefined();
  });

  it.each(["1795449600", "1", "999999999"])("is not %s, which looks like epoch seconds", (text) => {
    expect(parseTime(text, now)).toBe("epoch seconds");
  });
});

it("a duration has a unit", () => {
  expect(["5m", "1h", "1d", "2w", "90s", "5", "5y", "m"].map(parseDuration)).toEqual([
    300,
    3600,
    86_400,
    1_209_600,
    90,
    undefined,
    undefined,
    undefined,
  ]);
});
