/** Flushes made of little, to be applied to D1 at any time of the past. */
import { env } from "cloudflare:workers";
import { applyFlushes } from "../src/store/apply-flushes.ts";
import type { Delta } from "../src/stats/delta.ts";
import { bucketIndex } from "../src/stats/histogram.ts";

let n = 0;

/** What one function did in the minute of `at`: calls of one duration each, some in error, and some unmeasured besides. */
export function delta(
  at: number,
  { service = "shop", module = "", name = "a", calls = 1, errors = 0, unmeasured = 0, durationMs = 10 } = {},
): Delta {
  return {
    service,
    module,
    function: name,
    minute: Math.floor(at / 60_000) * 60,
    calls: calls + unmeasured,
    errors,
    unmeasured,
    sumUs: calls * durationMs * 1000,
    minMs: durationMs,
    maxMs: durationMs,
    buckets: [bucketIndex(durationMs), calls],
    firstSeen: at,
    lastSeen: at,
    failures: errors > 0 ? [{ name: "Error", message: "declined", calls: errors }] : [],
  };
}

/** Writes them to D1 as a flush that no buffer sent. */
export async function inD1(...deltas: Delta[]): Promise<void> {
  await applyFlushes(env.DB, [{ epoch: "test", n: ++n, deltas }]);
}
