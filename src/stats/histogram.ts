/**
 * The distribution of durations: OpenTelemetry's base-2 exponential histogram at scale 5, sparse.
 *
 * Bucket i covers (2^(i/32), 2^((i+1)/32)] milliseconds, so neighbours differ by 2.2 % and a quantile read
 * at a bucket's geometric midpoint is within 1.1 % of the true one. Histograms merge by adding counts, in any
 * order and grouping, to the same result.
 *
 * https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram
 */

/** Counts by bucket index, as senders send it, D1 keeps it and answers show it: only buckets that hold something. */
export type Histogram = Record<string, number>;

/**
 * The same while it is counted, as pairs in one list: index, count, index, count… In any order, and a bucket may come
 * several times, so that to join two is to merge them. An object with such keys takes several times as long to build, to
 * merge and to print.
 */
export type Buckets = number[];

// WARNING: stored histograms carry no scale of their own. Another scale here misreads all that is stored.
const BUCKETS_PER_DOUBLING = 32;

/** The shortest duration that is told from "not measurable": a nanosecond, in milliseconds. */
export const MIN_DURATION_MS = 1e-6;
/** The longest duration that is believed: seven days, in milliseconds. */
export const MAX_DURATION_MS = 7 * 24 * 60 * 60 * 1000;

/** The bucket of a duration in milliseconds, which must be above 0. */
export function bucketIndex(durationMs: number): number {
  return Math.ceil(Math.log2(durationMs) * BUCKETS_PER_DOUBLING) - 1;
}

export const MIN_BUCKET = /* @__PURE__ */ bucketIndex(MIN_DURATION_MS);
export const MAX_BUCKET = /* @__PURE__ */ bucketIndex(MAX_DURATION_MS);

/** The bucket's lower bound in milliseconds, itself outside of the bucket. */
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

/** A count of 0 for every bucket there may be. */
function zeroCounts(): Float64Array {
  return new Float64Array(MAX_BUCKET - MIN_BUCKET + 1);
}

/** All of them 0 but while `sumBuckets` works. */
const scratch = /* @__PURE__ */ zeroCounts();

/** All together: each bucket once, in order of index. */
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
 * The quantiles (each from 0 to 1) in milliseconds by nearest rank, or nulls where nothing was measured.
 * The true minimum and maximum, where known, bound the answer: a bucket is wider than a constant duration.
 */
export function quantiles(
  buckets: Buckets,
  at: readonly number[],
  minMs: number | null,
  maxMs: number | null,
): (number | null)[] {
  // Dense, so that the buckets are in order without being sorted: lists ask this of every function.
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
