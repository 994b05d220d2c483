/** What a cumulative point adds to the one before: the table of docs/otlp.md, case by case. */
import { describe, expect, it } from "vitest";
import { differenceTo, type StreamPoint } from "../../src/stats/point-difference.ts";
import type { SourceHistogram } from "../../src/stats/point.ts";

const HOUR = 3_600_000;
const NOW = 1_800_000_000_000;
const EARLIEST = NOW - 48 * HOUR;
const START = NOW - HOUR;

function point(value: StreamPoint["value"], minutes: number, start = START): StreamPoint {
  return { start, time: NOW + minutes * 60_000, value };
}

function explicit(counts: number[], boundsMs: number[], sumUs = 1000): SourceHistogram {
  return { layout: { boundsMs }, counts, zero: 0, sumUs, minMs: 1, maxMs: 9 };
}

function exponential(scale: number, offset: number, counts: number[], more: Partial<SourceHistogram> = {}) {
  const layout = { scale, offset, unitMs: 1 };
  return { layout, counts, zero: 0, sumUs: 0, minMs: null, maxMs: null, ...more };
}

const counted = (stored: StreamPoint | undefined, next: StreamPoint) => differenceTo(stored, next, EARLIEST);
const BASELINE = { counted: null, isStored: true };
const IGNORED = { counted: null, isStored: false };

describe("a counter", () => {
  it("adds the difference to the point before", () => {
    expect(counted(point(5, 0), point(8, 1))).toEqual({ counted: 3, isStored: true });
    expect(counted(point(5, 0), point(5, 1))).toEqual({ counted: 0, isStored: true });
  });

  it("adds nothing if the point is known, or older", () => {
    expect(counted(point(5, 1), point(5, 1))).toEqual(IGNORED);
    expect(counted(point(5, 1), point(4, 0))).toEqual(IGNORED);
  });

  it("counts as a whole after a restart", () => {
    expect(counted(point(5, 0), point(2, 2, NOW))).toEqual({ counted: 2, isStored: true });
  });

  it("of an older start is that of a second writer, and counts nothing", () => {
    const older = point(9, 2, START - HOUR);
    expect(counted(point(5, 0), older)).toEqual({ ...IGNORED, warning: "second writer" });
  });

  it("that is new counts as a whole if it began within 48 hours, and else from then on", () => {
    expect(counted(undefined, point(5, 0, EARLIEST))).toEqual({ counted: 5, isStored: true });
    expect(counted(undefined, point(5, 0, EARLIEST - 1))).toEqual(BASELINE);
    expect(counted(undefined, point(5, 0, 0))).toEqual(BASELINE);
  });

  it("that does not tell its start is compared with the point before", () => {
    expect(counted(point(5, 0, 0), point(8, 1, 0))).toEqual({ counted: 3, isStored: true });
  });

  it("that begins or ceases to tell its start counts from then on", () => {
    expect(counted(point(5, 0, 0), point(8, 1))).toEqual(BASELINE);
    expect(counted(point(5, 0), point(8, 1, 0))).toEqual(BASELINE);
    expect(counted(point(5, 1), point(8, 0, 0))).toEqual(IGNORED);
    // It began after the last point that did not tell: a restart.
    expect(counted(point(5, 0, 0), point(2, 2, NOW + 60_000))).toEqual({ counted: 2, isStored: true });
  });

  it("that falls counts from then on", () => {
    expect(counted(point(5, 0), point(4, 1))).toEqual({ ...BASELINE, warning: "counts fell" });
  });
});

describe("a histogram", () => {
  it("of the same bounds adds the difference of each bucket, without shortest and longest", () => {
    const [before, after] = [explicit([1, 2, 3], [5, 10], 1000), explicit([1, 5, 4], [5, 10], 3500)];
    expect(counted(point(before, 0), point(after, 1)).counted).toEqual({
      layout: { boundsMs: [5, 10] },
      counts: [0, 3, 1],
      zero: 0,
      sumUs: 2500,
      minMs: null,
      maxMs: null,
    });
  });

  it("of other bounds counts from then on, or as a whole after a restart", () => {
    const [before, after] = [explicit([1, 2], [5]), explicit([1, 2, 3], [5, 10])];
    expect(counted(point(before, 0), point(after, 1))).toEqual(BASELINE);
    expect(counted(point(before, 0), point(after, 1, NOW))).toEqual({ counted: after, isStored: true });
    expect(counted(point(before, 0), point(exponential(5, 0, [1]), 1))).toEqual(BASELINE);
    expect(counted(point(before, 0), point(7, 1))).toEqual(BASELINE);
  });

  it("of which one bucket fell counts from then on", () => {
    const result = counted(point(explicit([3, 2], [5]), 0), point(explicit([2, 9], [5]), 1));
    expect(result).toEqual({ ...BASELINE, warning: "counts fell" });
  });
});

describe("an exponential histogram", () => {
  const layoutOf = (before: SourceHistogram, after: SourceHistogram) => {
    const result = counted(point(before, 0), point(after, 1));
    const { layout, counts, zero } = result.counted as SourceHistogram;
    return { layout, counts, zero };
  };

  it("of the same scale adds the difference, wherever its first bucket is", () => {
    const [before, after] = [exponential(5, 10, [1, 2]), exponential(5, 8, [4, 0, 1, 3, 1], { zero: 2 })];
    expect(layoutOf(before, after)).toEqual({
      layout: { scale: 5, offset: 8, unitMs: 1 },
      counts: [4, 0, 0, 1, 1],
      zero: 2,
    });
  });

  it("whose scale fell is compared at the coarser scale", () => {
    // At scale 4, the buckets −3 to 0 are −2, −1 and 0.
    const [before, after] = [exponential(5, -3, [1, 1, 1, 1]), exponential(4, -2, [1, 2, 1, 9])];
    expect(layoutOf(before, after)).toEqual({
      layout: { scale: 4, offset: -2, unitMs: 1 },
      counts: [0, 0, 0, 9],
      zero: 0,
    });
  });

  it("whose scale rose is compared at the coarser scale too", () => {
    const [before, after] = [exponential(4, 5, [2]), exponential(5, 10, [1, 2])];
    expect(layoutOf(before, after)).toMatchObject({ layout: { scale: 4, offset: 5 }, counts: [1] });
  });

  it("may begin and end far away, without taking memory for the buckets between", () => {
    const [before, after] = [exponential(20, -(2 ** 30), [0, 1]), exponential(20, 2 ** 30, [1])];
    expect(counted(point(before, 0), point(after, 1))).toMatchObject({ warning: "counts fell" });
  });

  it("may be empty at first", () => {
    expect(layoutOf(exponential(20, 0, []), exponential(3, 7, [2]))).toMatchObject({ counts: [2] });
  });
});
