import fc from "fast-check";
import { expect, it } from "vitest";
import { addPlainCall, readSample, toDelta } from "../../src/ingest/samples/sample.ts";
import { type Delta, mergeDeltas } from "../../src/stats/delta.ts";

const NOW = Date.UTC(2026, 5, 1, 12, 0, 30);
const first = { function: "work", durationMs: 5, at: NOW - 10_000 };

function deltaOf(sample: unknown): Delta | undefined {
  const read = readSample(sample);
  const result = "sample" in read ? toDelta("shop", read.sample, NOW) : read;
  return "delta" in result ? result.delta : undefined;
}

it("a plain call that is added to an earlier one counts as if it had been read by itself", () => {
  const durationMs = fc.oneof(
    fc.double(),
    fc.constantFrom(0, 5e-7, 1e-6, 604_800_000, 604_800_001, null, "1"),
  );
  const at = fc.oneof(
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
  const more = fc.constantFrom(
    {},
    { error: undefined },
    { error: {} },
    { error: null },
    { calls: 1 },
    { other: 1 },
  );
  fc.assert(
    fc.property(durationMs, at, more, (durationMs, at, more) => {
      const sample = { function: "work", durationMs, at, ...more };
      const delta = deltaOf(first)!;
      const isAdded = addPlainCall(delta, sample, NOW);
      const alone = deltaOf(sample);
      const expected = isAdded ? [deltaOf(first)!, alone!] : [deltaOf(first)!];
      expect(mergeDeltas([delta])).toEqual(mergeDeltas(expected));
    }),
    { numRuns: 5_000 },
  );
  expect(addPlainCall(deltaOf(first)!, { durationMs: 1, at: NOW }, NOW)).toBe(true);
});
