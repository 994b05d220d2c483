/** Makes deltas with calls at any time and applies them to D1 as flushes. */
import { env } from "cloudflare:workers";
import { applyFlushes } from "../src/store/apply-flushes.ts";
import type { Delta } from "../src/stats/delta.ts";
import { bucketIndex } from "../src/stats/histogram.ts";

let n = 0;

/**
 * The delta of one function in the minute of `at` (epoch milliseconds). It has `calls` measured calls that all took
 * `durationMs`, and `unmeasured` more calls. `errors` of the calls failed.
 */
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

/** Applies deltas to D1 as one flush, without a buffer. */
export async function inD1(...deltas: Delta[]): Promise<void> {
  await applyFlushes(env.DB, [{ epoch: "test", n: ++n, deltas }]);
}
