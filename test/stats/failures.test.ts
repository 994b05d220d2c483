import { describe, expect, it } from "vitest";
import { addFailure, failureKey, mergeFailures, type SeenFailure } from "../../src/stats/failures.ts";

const failure = (message: string, calls = 1) => ({ name: "E", message, calls });
const seen = (message: string, firstSeen: number, lastSeen: number): SeenFailure => ({
  ...failure(message),
  firstSeen,
  lastSeen,
});

describe("merging failures", () => {
  it("adds up the calls of equal failures, in order of first occurrence", () => {
    expect(mergeFailures([failure("b", 2), failure("a"), failure("b", 3)])).toEqual([
      failure("b", 5),
      failure("a"),
    ]);
  });

  it("tells a name from a message", () => {
    const failures = [
      { name: "ab", message: "c", calls: 1 },
      { name: "a", message: "bc", calls: 1 },
    ];
    expect(mergeFailures(failures)).toEqual(failures);
  });

  it("widens the times to cover both failures, in either order", () => {
    const merged = { ...failure("a", 2), firstSeen: 1, lastSeen: 9 };
    expect(mergeFailures([seen("a", 3, 9), seen("a", 1, 4)])).toEqual([merged]);
    expect(mergeFailures([seen("a", 1, 4), seen("a", 3, 9)])).toEqual([merged]);
  });

  it("adds no times to failures that have none", () => {
    expect(Object.keys(mergeFailures([failure("a"), failure("a")])[0]!)).toEqual([
      "name",
      "message",
      "calls",
    ]);
  });

  it("can keep the failures of several series apart", () => {
    const failures = [
      { ...failure("a"), series: "x" },
      { ...failure("a"), series: "y" },
    ];
    expect(mergeFailures(failures, (one) => `${one.series}\n${failureKey(one)}`)).toEqual(failures);
  });

  it("does not change its input", () => {
    const first = seen("a", 2, 2);
    mergeFailures([first, seen("a", 1, 3)]);
    expect(first).toEqual(seen("a", 2, 2));
  });
});

it("a failure is added to those that are there", () => {
  const merged = new Map<string, SeenFailure>();
  addFailure(merged, seen("a", 2, 2));
  addFailure(merged, seen("a", 1, 3));
  addFailure(merged, seen("b", 5, 5));
  expect([...merged]).toEqual([
    ["E\na", { ...failure("a", 2), firstSeen: 1, lastSeen: 3 }],
    ["E\nb", seen("b", 5, 5)],
  ]);
});
