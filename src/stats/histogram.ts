/**
 * The distribution of durations: OpenTelemetry's base-2 exponential histogram at scale 5, sparse.
 *
 * Bucket i covers (2^(i/32), 2^((i+1)/32)] milliseconds, so neighbours differ by 2.2 % and a quantile read
 * at a bucket's geometric midpoint is within 1.1 % of the true one. Histograms merge by adding counts, in any
 * order and grouping, to the same result.
 *
 * https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram
 */

/** Counts by bucket index, without empty buckets. Senders, D1 and answers use this form. */
export type Histogram = Record<string, number>;

/**
 * The form for counting and merging: index, count, index, count… in one list. Indexes may come in any order and several
 * times, so that joining two lists merges them. Building, merging and printing objects takes several times as long.
 */
export type Buckets = number[];

// WARNING: stored histograms do not record their scale. Another scale here would misread everything that is stored.
const BUCKETS_PER_DOUBLING = 32;

/** The shortest duration that counts as measured: one nanosecond, in milliseconds. */
export const MIN_DURATION_MS = 1e-6;
/** The longest duration that is accepted: seven days, in milliseconds. */
export const MAX_DURATION_MS = 7 * 24 * 60 * 60 * 1000;

/** The bucket of a duration in milliseconds. The duration must be above 0. */
export function bucketIndex(durationMs: number): number {
  return Math.ceil(Math.log2(durationMs) * BUCKETS_PER_DOUBLING) - 1;
}

export const MIN_BUCKET = /* @__PURE__ */ bucketIndex(MIN_DURATION_MS);
export const MAX_BUCKET = /* @__PURE__ */ bucketIndex(MAX_DURATION_MS);

/** The bucket's lower bound in milliseconds. The bound itself is not in the bucket. */
export function bucketLowerBound(index: number): number {
  return 2 ** (index / BUCKETS_PER_DOUBLING);
}

export function toBuckets(histogram: Histogram): Buckets {
  const buckets: number[] = [];
  for (const index in histogram) buckets.push(Number(index), histogram[index]!);
  return buckets;
}

export function toHistogram(buckets: Buckets): Histogram {
  const histogram: Histogram = {};
  for (let i = 0; i < buckets.length; i += 2) {
    histogram[buckets[i]!] = (histogram[buckets[i]!] ?? 0) + buckets[i + 1]!;
  }
  return histogram;
}

/** A count of 0 for every possible bucket. */
function zeroCounts(): Float64Array {
  return new Float64Array(MAX_BUCKET - MIN_BUCKET + 1);
}

/** Reused by `sumBuckets`, which leaves all counts at 0. */
const scratch = /* @__PURE__ */ zeroCounts();

/** Adds up several lists. The result has each bucket once, in order of index. */
export function sumBuckets(all: readonly Buckets[]): Buckets {
  let low = scratch.length;
  let high = -1;
  for (const buckets of all) {
    for (let i = 0; i < buckets.length; i += 2) {
      const at = buckets[i]! - MIN_BUCKET;
      scratch[at]! += buckets[i + 1]!;
      if (at < low) low = at;
      if (at > high) high = at;
    }
  }
  const sum: number[] = [];
  for (let at = low; at <= high; at++) {
    if (scratch[at] === 0) continue;
    sum.push(MIN_BUCKET + at, scratch[at]!);
    scratch[at] = 0;
  }
  return sum;
}

/**
 * The quantiles `at` (each from 0 to 1) in milliseconds, by nearest rank. All are null if the buckets are empty. Each is
 * within 1.1 % of the true quantile. The minimum and the maximum bound the result, because equal durations are narrower than
 * their bucket.
 */
export function quantiles(
  buckets: Buckets,
  at: readonly number[],
  minMs: number | null,
  maxMs: number | null,
): (number | null)[] {
  // An array over all buckets puts them in order without sorting. Lists compute quantiles for every function.
  const counts = zeroCounts();
  let total = 0;
  for (let i = 0; i < buckets.length; i += 2) {
    counts[buckets[i]! - MIN_BUCKET]! += buckets[i + 1]!;
    total += buckets[i + 1]!;
  }
  return at.map((q) => {
    if (total === 0) return null;
    const rank = Math.max(1, Math.ceil(q * total));
    let bucket = 0;
    for (let seen = counts[0]!; seen < rank; seen += counts[bucket]!) bucket++;
    const midpoint = bucketLowerBound(MIN_BUCKET + bucket + 0.5);
    return Math.min(maxMs ?? Infinity, Math.max(minMs ?? 0, midpoint));
  });
}
