/** What one function did in one minute, and how such sums merge. */
import { type Buckets, type Histogram, sumBuckets, toBuckets } from "./histogram.ts";

/** What tells one function from another: two of one name in different modules stay two. */
export interface FunctionId {
  service: string;
  /** Empty where the sender named none. */
  module: string;
  function: string;
}

/** The sums of any number of calls of one function. */
export interface Sums {
  calls: number;
  errors: number;
  /** Calls whose duration the clock could not see: counted as calls, never as durations. */
  unmeasured: number;
  /** Whole microseconds: integers add up to the same sum in any order. */
  sumUs: number;
  /** Of measured calls; null where there is none. */
  minMs: number | null;
  maxMs: number | null;
  /** Of measured calls, so its counts add up to `calls - unmeasured`. */
  buckets: Buckets;
}

export interface Tally extends Sums {
  /** Epoch milliseconds of the earliest and the latest call known. */
  firstSeen: number;
  lastSeen: number;
}

/** An error's name and message, with the number of calls that ended in it. */
export interface Failure {
  name: string;
  message: string;
  calls: number;
}

/**
 * What one function did in one minute since the last report. Deltas merge in any order and any grouping to the
 * same result, so one may also be split: a part may hold failures only, with no calls of its own.
 */
export interface Delta extends FunctionId, Tally {
  /** Epoch seconds at which the minute starts. */
  minute: number;
  failures: Failure[];
}

type OlderDelta = Omit<Delta, "buckets"> & { histogram: Histogram };

export type FunctionTotals = FunctionId & Tally;

/** One delta for each function and minute, in order of first appearance. The deltas given stay as they are. */
export function mergeDeltas(deltas: Iterable<Delta>): Delta[] {
  const groups = Map.groupBy(deltas, (delta) => `${functionKey(delta)}\n${delta.minute}`);
  return Array.from(groups.values(), (group) => {
    const tally = tallyOf(group);
    return {
      ...idOf(group[0]!),
      minute: group[0]!.minute,
      ...tally,
      // What is alone may say a bucket twice, or a failure.
      buckets: group.length === 1 ? sumBuckets([tally.buckets]) : tally.buckets,
      failures: mergeFailures(group),
    };
  });
}

function mergeFailures(group: readonly Delta[]): Failure[] {
  const merged = new Map<string, Failure>();
  for (const { failures } of group) {
    for (const { name, message, calls } of failures) {
      const key = `${name}\n${message}`;
      const known = merged.get(key);
      if (known) known.calls += calls;
      else merged.set(key, { name, message, calls });
    }
  }
  return [...merged.values()];
}

/** The totals of each function that is spoken of, in order of first appearance. What is given stays as it is. */
export function sumByFunction(parts: Iterable<FunctionTotals>): FunctionTotals[] {
  const groups = Map.groupBy(parts, functionKey);
  return Array.from(groups.values(), (group) => ({ ...idOf(group[0]!), ...tallyOf(group) }));
}

/** Reads JSON text of deltas. */
export function parseDeltas(json: string): Delta[] {
  return (JSON.parse(json) as unknown[]).map(readDelta);
}

/** One as it came out of JSON. What an older version made has a `histogram`, and no buckets. */
export function readDelta(stored: unknown): Delta {
  const delta = stored as Delta | OlderDelta;
  if ("buckets" in delta) return delta;
  const { histogram, ...others } = delta;
  return { ...others, buckets: toBuckets(histogram) };
}

/** A key that no two functions share: names hold no control characters. */
export function functionKey(id: FunctionId): string {
  return `${id.service}\n${keyWithinService(id.module, id.function)}`;
}

/** The same among the functions of one service. */
export function keyWithinService(module: string, name: string): string {
  return `${module}\n${name}`;
}

/** All together; of none, the sums of no calls. Of one, its own list of buckets. */
export function sumOf(parts: readonly Sums[]): Sums {
  const sum = { calls: 0, errors: 0, unmeasured: 0, sumUs: 0 };
  let minMs: number | null = null;
  let maxMs: number | null = null;
  for (const part of parts) {
    sum.calls += part.calls;
    sum.errors += part.errors;
    sum.unmeasured += part.unmeasured;
    sum.sumUs += part.sumUs;
    if (part.minMs !== null && (minMs === null || part.minMs < minMs)) minMs = part.minMs;
    if (part.maxMs !== null && (maxMs === null || part.maxMs > maxMs)) maxMs = part.maxMs;
  }
  const buckets = parts.length === 1 ? parts[0]!.buckets : sumBuckets(parts.map((part) => part.buckets));
  return { ...sum, minMs, maxMs, buckets };
}

function tallyOf(parts: readonly Tally[]): Tally {
  let { firstSeen, lastSeen } = parts[0]!;
  for (const part of parts) {
    if (part.firstSeen < firstSeen) firstSeen = part.firstSeen;
    if (part.lastSeen > lastSeen) lastSeen = part.lastSeen;
  }
  return { ...sumOf(parts), firstSeen, lastSeen };
}

function idOf({ service, module, function: name }: FunctionId): FunctionId {
  return { service, module, function: name };
}
