/** `GET /metrics/:service/:function/histogram`: how durations are distributed, as bounds and counts for a picture. */
import * as z from "zod";
import { limits } from "../limits.ts";
import { type Buckets, bucketLowerBound, sumBuckets } from "../stats/histogram.ts";
import { type Named, totalsOf } from "../store/read-functions.ts";
import { rollupsOf } from "../store/read-rollups.ts";
import { readExact } from "../read/exact.ts";
import { round } from "./function-metrics.ts";
import { isOf, mergeModules } from "../read/one-function.ts";
import { ModuleName, RangeParameters, wholeNumber } from "../http/parameters.ts";
import { isWithin, type Range, rangeAskedFor } from "../read/range.ts";

const DEFAULT_BUCKETS = 60;
/**
 * Below every bucket there is, since neighbours on its two sides are never taken together. A power of two, so that
 * bounds are at whole doublings of a millisecond.
 */
const ORIGIN = -1024;

export const DistributionParameters = z.strictObject({
  module: ModuleName.optional(),
  ...RangeParameters.shape,
  buckets: wholeNumber(1, limits.histogramBuckets)
    .optional()
    .meta({ description: `At most so many; ${DEFAULT_BUCKETS} if left out.` }),
});

export const Distribution = z.object({
  from: z.iso
    .datetime()
    .nullable()
    .meta({ description: "Null where no range is given: since the beginning." }),
  to: z.iso.datetime().nullable(),
  measured: z.int().meta({ description: "Calls in the buckets." }),
  unmeasured: z.int(),
  buckets: z
    .array(z.object({ aboveMs: z.number(), toMs: z.number(), calls: z.int() }))
    .meta({ description: "Each from `aboveMs` (not included) to `toMs`, each where the one before ends." }),
});
export type Distribution = z.infer<typeof Distribution>;

export async function readDistribution(
  env: Pick<Env, "BUFFER" | "DB">,
  named: Named,
  asked: { from?: number | undefined; to?: number | undefined; buckets?: number | undefined },
): Promise<Distribution> {
  const range = rangeAskedFor(asked, Date.now());
  const read = await readExact(env, [totalsOf(named), rollupsOf(named, range ?? { from: 0, to: 0 })]);
  const unapplied = read.unapplied.filter(isOf(named));
  const { totals } = mergeModules(named, read.stored[0], unapplied);
  const parts = range
    ? [...read.stored[1], ...unapplied.filter(({ minute }) => isWithin(range, minute))]
    : [totals];
  const fine = sumBuckets(parts.map((part) => part.buckets));
  const buckets = takenTogether(fine, asked.buckets ?? DEFAULT_BUCKETS);
  return {
    ...bounds(range),
    measured: buckets.reduce((sum, { calls }) => sum + calls, 0),
    unmeasured: parts.reduce((sum, part) => sum + part.unmeasured, 0),
    buckets,
  };
}

/**
 * Neighbours are taken together, two, four, eight…, until there are few enough: that moves no count over a bound. They
 * are paired from the origin on, so that bounds stay where they are while other calls come in.
 */
export function takenTogether(fine: Buckets, max: number): Distribution["buckets"] {
  if (fine.length === 0) return [];
  const entries = Array.from({ length: fine.length / 2 }, (_, i) => ({
    at: fine[2 * i]! - ORIGIN,
    calls: fine[2 * i + 1]!,
  }));
  const low = Math.min(...entries.map(({ at }) => at));
  const high = Math.max(...entries.map(({ at }) => at));
  let shift = 0;
  while ((high >> shift) - (low >> shift) >= max) shift++;
  const first = low >> shift;
  const counts = Array.from({ length: (high >> shift) - first + 1 }, () => 0);
  for (const { at, calls } of entries) counts[(at >> shift) - first]! += calls;
  const lowerBound = (i: number) => round(bucketLowerBound((first + i) * 2 ** shift + ORIGIN));
  return counts.map((calls, i) => ({ aboveMs: lowerBound(i), toMs: lowerBound(i + 1), calls }));
}

function bounds(range: Range | undefined): { from: string | null; to: string | null } {
  if (!range) return { from: null, to: null };
  return { from: new Date(range.from * 1000).toISOString(), to: new Date(range.to * 1000).toISOString() };
}
