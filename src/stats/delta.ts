/** What one function did in one minute, and how such sums merge. */
import { addHistogram, type Histogram } from "./histogram.ts";

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
  histogram: Histogram;
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

export type FunctionTotals = FunctionId & Tally;

/** One delta for each function and minute, in order of first appearance. The deltas given stay as they are. */
export function mergeDeltas(deltas: Iterable<Delta>): Delta[] {
  const merged = new Map<string, Delta | Merging>();
  for (const delta of deltas) {
    const key = `${functionKey(delta)}\n${delta.minute}`;
    const known = merged.get(key);
    if (known instanceof Merging) known.add(delta);
    else if (known) merged.set(key, new Merging(known).add(delta));
    // One that stays alone is not copied, unless it says a failure twice.
    else merged.set(key, delta.failures.length > 1 ? new Merging(delta) : delta);
  }
  return Array.from(merged.values(), (each) => (each instanceof Merging ? each.delta : each));
}

/** A copy of a delta, to which others of its function and minute are added. */
class Merging {
  readonly #delta: Delta;
  readonly #failures = new Map<string, Failure>();

  constructor(first: Delta) {
    this.#delta = { ...first, histogram: { ...first.histogram } };
    this.#addFailures(first);
  }

  add(other: Delta): this {
    addTally(this.#delta, other);
    this.#addFailures(other);
    return this;
  }

  get delta(): Delta {
    return { ...this.#delta, failures: [...this.#failures.values()] };
  }

  #addFailures({ failures }: Delta): void {
    for (const { name, message, calls } of failures) {
      const key = `${name}\n${message}`;
      const known = this.#failures.get(key);
      if (known) known.calls += calls;
      else this.#failures.set(key, { name, message, calls });
    }
  }
}

/** The totals of each function that the deltas speak of. The deltas given stay as they are. */
export function sumByFunction(deltas: Iterable<Delta>): FunctionTotals[] {
  const totals = new Map<string, FunctionTotals>();
  for (const delta of deltas) addToTotals(totals, delta);
  return [...totals.values()];
}

/** Adds a delta to the totals of its function, which are made if the map has none. */
export function addToTotals(totals: Map<string, FunctionTotals>, delta: FunctionTotals): void {
  const key = functionKey(delta);
  const known = totals.get(key);
  if (known) addTally(known, delta);
  else totals.set(key, copyTotals(delta));
}

/** A key that no two functions share: names hold no control characters. */
export function functionKey(id: FunctionId): string {
  return `${id.service}\n${id.module}\n${id.function}`;
}

/** The sums of no calls. */
export function noCalls(): Sums {
  return { calls: 0, errors: 0, unmeasured: 0, sumUs: 0, minMs: null, maxMs: null, histogram: {} };
}

export function addSums(into: Sums, from: Sums): void {
  into.calls += from.calls;
  into.errors += from.errors;
  into.unmeasured += from.unmeasured;
  into.sumUs += from.sumUs;
  into.minMs = pick(Math.min, into.minMs, from.minMs);
  into.maxMs = pick(Math.max, into.maxMs, from.maxMs);
  addHistogram(into.histogram, from.histogram);
}

function addTally(into: Tally, from: Tally): void {
  addSums(into, from);
  into.firstSeen = Math.min(into.firstSeen, from.firstSeen);
  into.lastSeen = Math.max(into.lastSeen, from.lastSeen);
}

function copyTotals({ service, module, function: name, ...tally }: FunctionTotals): FunctionTotals {
  return {
    service,
    module,
    function: name,
    calls: tally.calls,
    errors: tally.errors,
    unmeasured: tally.unmeasured,
    sumUs: tally.sumUs,
    minMs: tally.minMs,
    maxMs: tally.maxMs,
    histogram: { ...tally.histogram },
    firstSeen: tally.firstSeen,
    lastSeen: tally.lastSeen,
  };
}

function pick(choose: (a: number, b: number) => number, a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : choose(a, b);
}
