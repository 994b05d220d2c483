/**
 * Sums the calls of one service in one request, and cuts the sums into batches.
 *
 * WARNING: nothing here may depend on the time of arrival before `batches` is called, and the cuts must not depend on it at
 * all. A retry carries the same bytes at a later time. It must become the same batches under the same keys, or calls count
 * twice or never.
 */
import { byteLength } from "../../byte-length.ts";
import type { Delta } from "../../stats/delta.ts";
import { addFailure, type Failure } from "../../stats/failures.ts";
import { sumBuckets } from "../../stats/histogram.ts";
import type { Meaning, PointValue } from "../../stats/point.ts";
import { sumsOfPoint } from "../../stats/point-sums.ts";
import { normaliseName } from "../../stats/series-id.ts";
import type { Batch } from "../batch.ts";
import { ingestLimits } from "../limits.ts";
import { isTooOld } from "../sample-delta.ts";
import { printable } from "../sample-text.ts";
import { otlpLimits } from "./limits.ts";

/** What one function did in one minute. */
export interface SeriesSum {
  delta: Delta;
  failures: Map<string, Failure>;
  /** Spans or data points in it. */
  items: number;
  /** The part of a call that rounding to whole calls has left so far. Half a call at first, so that it rounds to the nearest. */
  carried: number;
}

export interface BatchSource {
  /** Names the request: the same for the same bytes. */
  key: string;
  digest: string;
  /** Size of the request's body. */
  bytes: number;
}

const OTHER_FAILURES = { name: "Error", message: "(other errors)" };
const MINUTE_MS = 60_000;

export class SeriesSums {
  readonly service: string;
  readonly #sums = new Map<string, SeriesSum>();

  constructor(service: string) {
    this.service = service;
  }

  /** How many functions and minutes there are. */
  get size(): number {
    return this.#sums.size;
  }

  /**
   * The sum to which a call is added. Undefined if the name is empty.
   *
   * @param minute the start of the call's minute, in epoch seconds
   */
  of(module: string, name: string, minute: number): SeriesSum | undefined {
    const key = `${module}\n${name}\n${minute}`;
    const known = this.#sums.get(key);
    if (known) return known;
    const named = nameOf(name);
    if (named === "") return undefined;
    const sum = {
      delta: emptyDelta(this.service, nameOf(module), named, minute),
      failures: new Map(),
      items: 0,
      carried: 0.5,
    };
    this.#sums.set(key, sum);
    return sum;
  }

  /** Cuts the sums into parts, each small enough for one batch. Returns a function that makes the batches. */
  batches({ key, digest, bytes }: BatchSource): (now: number) => Omit<Batch, "service">[] {
    const parts = cut([...this.#sums.values()]);
    return (now) =>
      parts.map((part, n) => ({
        key: n === 0 ? key : `${key}#${n}`,
        digest,
        weight: Math.ceil(bytes / parts.length),
        ...summedAt(part, now),
      }));
  }
}

export function addFailureTo({ failures }: SeriesSum, failure: Failure): void {
  const isRoom = failures.size < otlpLimits.failuresPerDelta;
  addFailure(
    failures,
    isRoom || failures.has(`${failure.name}\n${failure.message}`)
      ? failure
      : { ...OTHER_FAILURES, calls: failure.calls },
  );
}

/** Adds a data point that ended at `time`, in epoch milliseconds. */
export function addPointTo(sum: SeriesSum, meaning: Meaning, value: PointValue, time: number): void {
  const { delta } = sum;
  const added = sumsOfPoint(meaning, value);
  // The point covers the time up to the nanosecond before.
  const seen = Math.ceil(time) - 1;
  delta.firstSeen = Math.min(delta.firstSeen, seen);
  delta.lastSeen = Math.max(delta.lastSeen, seen);
  delta.calls += added.calls;
  delta.errors += added.errors;
  delta.unmeasured += added.unmeasured;
  delta.sumUs += added.sumUs;
  for (const each of added.buckets) delta.buckets.push(each);
  if (added.minMs !== null) delta.minMs = Math.min(delta.minMs ?? added.minMs, added.minMs);
  if (added.maxMs !== null) delta.maxMs = Math.max(delta.maxMs ?? added.maxMs, added.maxMs);
  const { failure } = meaning;
  if (failure !== null && added.errors > 0)
    addFailureTo(sum, { name: failure, message: "", calls: added.errors });
}

/** A name as it is stored, empty if nothing of it can be shown. */
export function nameOf(text: string): string {
  const name = printable(normaliseName(text), ingestLimits.functionLength).trim();
  // A copy. A part of a larger text would keep all of that in memory.
  return JSON.parse(JSON.stringify(name)) as string;
}

function emptyDelta(service: string, module: string, name: string, minute: number): Delta {
  return {
    service,
    module,
    function: name,
    minute,
    firstSeen: Infinity,
    lastSeen: 0,
    calls: 0,
    errors: 0,
    unmeasured: 0,
    sumUs: 0,
    minMs: null,
    maxMs: null,
    buckets: [],
    failures: [],
  };
}

function cut(sums: readonly SeriesSum[]): SeriesSum[][] {
  const parts: SeriesSum[][] = [];
  let part: SeriesSum[] = [];
  let partBytes = 0;
  for (const sum of sums) {
    const { delta, failures } = sum;
    delta.buckets = sumBuckets([delta.buckets]);
    delta.failures = [...failures.values()];
    const bytes = byteLength(JSON.stringify(delta));
    const isFull =
      part.length >= otlpLimits.deltasPerBatch || partBytes + bytes > otlpLimits.storedBytesPerBatch;
    if (part.length === 0 || isFull) {
      parts.push((part = []));
      partBytes = 0;
    }
    part.push(sum);
    partBytes += bytes;
  }
  return parts;
}

/** The deltas of a part, without those that are too old. What lies ahead of the server's clock counts as now. */
function summedAt(part: readonly SeriesSum[], now: number): Pick<Batch, "deltas" | "answer" | "rejected"> {
  const deltas: Delta[] = [];
  let accepted = 0;
  let late = 0;
  for (const { delta, items } of part) {
    if (isTooOld(delta.lastSeen, now)) {
      late += items;
      continue;
    }
    accepted += items;
    const isAhead = delta.lastSeen > now;
    deltas.push(isAhead ? heldBack(delta, now) : delta);
  }
  const reasons = late === 0 ? [] : [{ index: 0, reason: TOO_LATE }];
  return {
    deltas,
    answer: { accepted, rejected: late, reasons },
    rejected: late === 0 ? {} : { too_late: late },
  };
}

export const TOO_LATE = `Ended more than ${ingestLimits.sampleAgeMs / 3_600_000} hours ago. Older ones are not counted.`;

function heldBack(delta: Delta, now: number): Delta {
  return {
    ...delta,
    minute: Math.min(delta.minute, Math.floor(now / MINUTE_MS) * 60),
    firstSeen: Math.min(delta.firstSeen, now),
    lastSeen: now,
  };
}
