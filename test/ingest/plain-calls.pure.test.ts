import fc from "fast-check";
import { expect, it } from "vitest";
import { addPlainCall } from "../../src/ingest/plain-call.ts";
import { sumSamples } from "../../src/ingest/samples/sum-samples.ts";
import { type Delta, mergeDeltas } from "../../src/stats/delta.ts";

const NOW = Date.UTC(2026, 5, 1, 12, 0, 30);
const first = { function: "work", durationMs: 5, at: NOW - 10_000 };

function deltaOf(sample: unknown): Delta | undefined {
  return sumSamples("shop", [sample], NOW).deltas[0];
}

const durations = fc.oneof(fc.double(), fc.constantFrom(0, 5e-7, 1e-6, 604_800_000, 604_800_001, null, "1"));
const times = fc.oneof(
  fc.integer({ min: NOW - 120_000, max: NOW + 60_000 }),
  fc.double(),
  fc.constantFrom(
    undefined,
    null,
    "now",
    Infinity,
    NOW - 31_000,
    NOW - 30_000,
    NOW - 30_000.5,
    NOW - 172_800_001,
  ),
);
const otherFields = fc.constantFrom(
  {},
  { error: undefined },
  { error: {} },
  { error: null },
  { calls: 1 },
  { other: 1 },
);

it("a call that addPlainCall adds to a delta counts the same as the call's own delta", () => {
  fc.assert(
    fc.property(durations, times, otherFields, (durationMs, at, others) => {
      const call = { function: "work", durationMs, at, ...others };
      const delta = deltaOf(first)!;
      const isAdded = addPlainCall(delta, call, NOW);
      const own = deltaOf(call);
      const expected = isAdded ? [deltaOf(first)!, own!] : [deltaOf(first)!];
      expect(mergeDeltas([delta])).toEqual(mergeDeltas(expected));
    }),
    { numRuns: 5_000 },
  );
});

it("addPlainCall adds a plain call", () => {
  expect(addPlainCall(deltaOf(first)!, { durationMs: 1, at: NOW }, NOW)).toBe(true);
});

it("addPlainCall leaves a delta of the age limit alone, so that the call is rejected as too old", () => {
  const old = NOW - 172_800_000;
  const delta = deltaOf({ ...first, at: old })!;
  expect(addPlainCall(delta, { durationMs: 1, at: old }, NOW)).toBe(true);
  expect(addPlainCall(delta, { durationMs: 1, at: old - 1 }, NOW)).toBe(false);
});
