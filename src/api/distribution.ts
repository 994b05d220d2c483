/** `GET /metrics/:service/:function/histogram`: how durations are distributed, as bounds and counts to draw. */
import * as z from "zod";
import { FunctionName, ModuleName, RangeParameters, ServiceName, wholeNumber } from "../http/parameters.ts";
import { READ_ERRORS, route } from "../http/route.ts";
import { UnknownSeriesError } from "../read/errors.ts";
import { type FunctionName as NamedFunction, inNormalForm } from "../read/matchers.ts";
import { type AskedRange, optionalRange } from "../read/range.ts";
import { ONE_STEP, type ReadBindings, readSeries } from "../read/series.ts";
import { type Buckets, bucketLowerBound } from "../stats/histogram.ts";
import { round } from "./function-metrics.ts";
import { isoTime } from "./iso-time.ts";
import { limits } from "./limits.ts";
import { sumOf } from "../stats/sums.ts";

/**
 * A bucket index below all others. Buckets are paired starting here, so that their bounds do not move when shorter
 * durations arrive. A power of two, so that the bounds are whole doublings of a millisecond.
 */
const ORIGIN = -1024;

export const DistributionParameters = z.strictObject({
  module: ModuleName.optional(),
  ...RangeParameters.shape,
  buckets: wholeNumber(1, limits.histogramBuckets)
    .optional()
    .meta({ description: `At most so many buckets. ${limits.defaultHistogramBuckets} if left out.` }),
});

export const Distribution = z.object({
  from: z.iso
    .datetime()
    .nullable()
    .meta({ description: "The range that is covered. Null without a range: since the beginning." }),
  to: z.iso.datetime().nullable(),
  measured: z.int().meta({ description: "Calls in the buckets." }),
  unmeasured: z.int(),
  buckets: z.array(z.object({ aboveMs: z.number(), toMs: z.number(), calls: z.int() })).meta({
    description: "Each is above `aboveMs` and up to `toMs`. Each begins where the one before ends.",
  }),
});
export type Distribution = z.infer<typeof Distribution>;

const answers = { answer: Distribution, errors: [...READ_ERRORS, 404] } as const;

export const distributionRoute = route({
  method: "get",
  path: "/metrics/:service/:function/histogram",
  right: "read",
  summary: "How a function's durations are distributed",
  query: DistributionParameters,
  ...answers,
  handler: (c, { params, query: { module, ...asked } }) =>
    readDistribution(c.env, { ...inNormalForm(params), module }, asked),
});

export const distributionByQueryRoute = route({
  method: "get",
  path: "/function/histogram",
  right: "read",
  summary:
    "As `GET /metrics/{service}/{function}/histogram`, for names that a path cannot hold, such as `..`",
  query: DistributionParameters.extend({ service: ServiceName, function: FunctionName }),
  ...answers,
  handler: (c, { query: { service, function: name, module, ...asked } }) =>
    readDistribution(c.env, { service, function: name, module }, asked),
});

async function readDistribution(
  env: ReadBindings,
  name: NamedFunction,
  asked: AskedRange & { buckets?: number | undefined },
): Promise<Distribution> {
  const range = optionalRange(asked, Date.now());
  const series = await Array.fromAsync(readSeries(env, name, range, ONE_STEP));
  if (series.length === 0) throw new UnknownSeriesError(name);
  const { buckets, unmeasured, calls } = sumOf(
    series.flatMap(({ points }) => points.map(({ sums }) => sums)),
  );
  return {
    from: range ? isoTime(range.from) : null,
    to: range ? isoTime(range.to) : null,
    measured: calls - unmeasured,
    unmeasured,
    buckets: coarsened(buckets, asked.buckets ?? limits.defaultHistogramBuckets),
  };
}

/** Joins 2, 4, 8 or more neighbouring buckets into one, until there are at most `max`. No bucket is split. */
export function coarsened(fine: Buckets, max: number): Distribution["buckets"] {
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
