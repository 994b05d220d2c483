/** A delta: what one function did in one minute since the last report. Also merges deltas, and reads them from JSON. */
import { type Failure, mergeFailures, type SeenFailure } from "./failures.ts";
import { type Histogram, sumBuckets, toBuckets } from "./histogram.ts";
import { idOf, type SeriesId, seriesKey } from "./series-id.ts";
import { type Tally, tallyOf } from "./sums.ts";

/**
 * Deltas merge to the same result in any order and grouping. A delta may therefore also be split: one of the parts may
 * hold failures only and no calls.
 */
export interface Delta extends SeriesId, Tally {
  /** Epoch seconds at which the minute starts. */
  minute: number;
  failures: Failure[];
}

/** The form in which older versions stored and sent deltas. */
type OlderDelta = Omit<Delta, "buckets"> & { histogram: Histogram };

/** One delta for each series and minute, in order of first occurrence. Does not change its input. */
export function mergeDeltas(deltas: Iterable<Delta>): Delta[] {
  const groups = Map.groupBy(deltas, (delta) => `${seriesKey(delta)}\n${delta.minute}`);
  return Array.from(groups.values(), (group) => {
    const tally = tallyOf(group);
    return {
      ...idOf(group[0]!),
      minute: group[0]!.minute,
      ...tally,
      // A single delta may name a bucket twice. `tallyOf` adds up the buckets of several deltas only.
      buckets: group.length === 1 ? sumBuckets([tally.buckets]) : tally.buckets,
      failures: mergeFailures(group.flatMap(({ failures }) => failures)),
    };
  });
}

/** A delta's failures, each with the times of the delta. A delta has no times for single failures. */
export function seenFailuresOf({ failures, firstSeen, lastSeen }: Delta): SeenFailure[] {
  return failures.map((failure) => ({ ...failure, firstSeen, lastSeen }));
}

/** Reads the text of a JSON array of deltas. */
export function parseDeltas(json: string): Delta[] {
  return (JSON.parse(json) as unknown[]).map(readDelta);
}

/** Reads one delta from parsed JSON. Accepts the older form, which has a `histogram` and no `buckets`. */
export function readDelta(stored: unknown): Delta {
  const delta = stored as Delta | OlderDelta;
  if ("buckets" in delta) return delta;
  const { histogram, ...others } = delta;
  return { ...others, buckets: toBuckets(histogram) };
}
