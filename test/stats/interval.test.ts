import { describe, expect, it } from "vitest";
import { ceilTo, floorTo, isWithin } from "../../src/stats/interval.ts";

describe("a range", () => {
  it("includes its first second and excludes its last", () => {
    const range = { from: 60, to: 120 };
    expect([59, 60, 119, 120].map((second) => isWithin(range, second))).toEqual([false, true, true, false]);
  });

  it("shares no moment with the range that follows it", () => {
    for (let second = 50; second < 190; second++) {
      const inFirst = isWithin({ from: 60, to: 120 }, second);
      expect(inFirst && isWithin({ from: 120, to: 180 }, second)).toBe(false);
    }
  });
});

describe("rounding to steps", () => {
  it("leaves a multiple as it is", () => {
    expect([floorTo(120, 60), ceilTo(120, 60)]).toEqual([120, 120]);
  });

  it("goes down and up to the next multiple, also below zero", () => {
    expect([floorTo(119, 60), ceilTo(61, 60)]).toEqual([60, 120]);
    expect([floorTo(-1, 60), ceilTo(-59, 60)]).toEqual([-60, -0]);
  });
});
