/** Schema for a histogram in a sample: an object of counts by bucket index. */
import * as z from "zod";
import { type Histogram, MAX_BUCKET, MIN_BUCKET } from "../../stats/histogram.ts";
import { ingestLimits } from "../limits.ts";
import { mustBe, shown } from "./fields.ts";

export const histogram = z
  .record(z.string(), z.unknown(), { error: mustBe("histogram must be an object of counts by bucket index") })
  .meta({ maxProperties: ingestLimits.histogramEntries })
  .transform((entries, context): Histogram => {
    const counts: Histogram = {};
    // Faster than `Object.entries`, and sums may have hundreds of buckets.
    for (const key in entries) {
      const calls = entries[key];
      const problem = problemWith(key, calls);
      if (problem !== undefined) {
        context.addIssue(problem);
        return z.NEVER;
      }
      counts[key] = calls as number;
    }
    return counts;
  });

function problemWith(key: string, calls: unknown): string | undefined {
  const index = Number(key);
  // The comparison of texts excludes other spellings of a number, such as "1e2" and "01".
  if (String(index) !== key || !Number.isInteger(index) || index < MIN_BUCKET || index > MAX_BUCKET) {
    return `histogram has the bucket ${shown(key)}, which is not a whole number from ${MIN_BUCKET} to ${MAX_BUCKET}.`;
  }
  const max = ingestLimits.callsPerSample;
  if (typeof calls !== "number" || !Number.isInteger(calls) || calls < 1 || calls > max) {
    return `histogram counts ${shown(calls)} calls in bucket ${key}, which is not a whole number from 1 to ${max}.`;
  }
  return undefined;
}
