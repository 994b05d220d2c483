import fc from "fast-check";
import { expect, it } from "vitest";
import { LatestDeltas } from "../../src/ingest/latest-deltas.ts";
import type { Delta } from "../../src/stats/delta.ts";

it("LatestDeltas returns the delta that was set last for a name, even if other names end alike", () => {
  const names = fc.constantFrom(
    "",
    "a",
    "é",
    "aa",
    "xaa",
    "ab",
    "cab",
    "a\ud800",
    "function_1",
    "function_11",
  );
  const step = fc.record({
    name: names,
    module: fc.constantFrom(undefined, null, "", "m"),
    sets: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const latest = new LatestDeltas();
      const expected = new Map<string, { module: unknown; delta: Delta }>();
      for (const { name, module, sets } of steps) {
        const known = expected.get(name);
        expect(latest.get(name, module)).toBe(known && known.module === module ? known.delta : undefined);
        if (!sets) continue;
        const delta = {} as Delta;
        latest.set(name, module, delta);
        expected.set(name, { module, delta });
      }
    }),
    { numRuns: 1_000 },
  );
});
