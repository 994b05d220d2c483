import { describe, expect, it } from "vitest";
import { ago, change, count, duration, percent, rate, text, type Written } from "../../dashboard/format.ts";

const plain = (written: Written) => text(written).replaceAll("\u00a0", " ");

describe("format", () => {
  it("writes counts", () => {
    expect(
      [0, 7, 999, 1_000, 1_234, 9_949, 12_345, 999_499, 999_500, 1e9].map((n) => plain(count(n))),
    ).toEqual(["0", "7", "999", "1.0 k", "1.2 k", "9.9 k", "12 k", "999 k", "1.0 M", "1.0 G"]);
  });

  it("writes durations from nanoseconds to days", () => {
    const all = [0, 0.00005, 0.34, 0.9996, 1, 9.96, 340, 999.7, 1_200, 59_600, 90_000, 7.2e6, 3e8];
    expect(all.map((ms) => plain(duration(ms)))).toEqual([
      "0 ms",
      "50 ns",
      "340 µs",
      "1.0 ms",
      "1.0 ms",
      "10 ms",
      "340 ms",
      "1.0 s",
      "1.2 s",
      "1.0 min",
      "1.5 min",
      "2.0 h",
      "3.5 d",
    ]);
  });

  it("writes 0 % and 100 % only for exactly none and exactly all", () => {
    expect(
      [0, 0.00001, 0.003, 0.0523, 0.14, 0.9951, 0.99999, 1].map((share) => plain(percent(share))),
    ).toEqual(["0 %", "<0.1 %", "0.3 %", "5.2 %", "14 %", "99.5 %", ">99.9 %", "100 %"]);
  });

  it("writes rates, also very small ones", () => {
    expect([0, 0.0001, 0.0033, 0.52, 1, 9.96, 15.5, 2_000].map((n) => plain(rate(n)))).toEqual([
      "0",
      "<0.001",
      "0.0033",
      "0.52",
      "1.0",
      "10",
      "16",
      "2.0 k",
    ]);
  });

  it("writes changes and ages", () => {
    const changes = [change(3, 3), change(1.4, 1), change(88, 100), change(320, 100), change(1, 0)];
    expect(changes.map((by) => by?.replaceAll("\u00a0", " "))).toEqual([
      "±0 %",
      "+40 %",
      "−12 %",
      "×3.2",
      undefined,
    ]);
    const times = [0, 20_000, 100_000, 600_000, 9e6, 3e8].map((ms) => ago(0, ms).replaceAll("\u00a0", " "));
    expect(times).toEqual(["just now", "just now", "2 min ago", "10 min ago", "3 h ago", "3 d ago"]);
  });
});
