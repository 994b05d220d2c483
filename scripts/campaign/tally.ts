/** Sums calls by function and minute, and compares the sums that were expected with those in D1. */

export interface Tally {
  calls: number;
  errors: number;
  /** Calls without a measured duration. */
  unmeasured: number;
  sumUs: number;
  /** Shortest measured duration, or null if no call was measured. */
  minMs: number | null;
  /** Longest measured duration, or null if no call was measured. */
  maxMs: number | null;
  histogram: Record<string, number>;
}

/** Tallies by "service function minute". The minute is in epoch seconds. */
export type Tallies = Record<string, Tally>;

/** A duration of 0 was shorter than a step of the clock. It counts as the shortest duration that the store holds. */
const SHORTEST_MS = 1e-6;

export function addCall(tallies: Tallies, key: string, durationMs: number, isError: boolean): void {
  const storedMs = Math.max(durationMs, SHORTEST_MS);
  const bucket = String(Math.ceil(Math.log2(storedMs) * 32) - 1);
  addTally(tallies, key, {
    calls: 1,
    errors: isError ? 1 : 0,
    unmeasured: 0,
    sumUs: Math.round(durationMs * 1000),
    minMs: storedMs,
    maxMs: storedMs,
    histogram: { [bucket]: 1 },
  });
}

export function totalCalls(tallies: Tallies): number {
  return Object.values(tallies).reduce((sum, { calls }) => sum + calls, 0);
}

/** Sums over all minutes, by "service function". */
export function totalsOf(tallies: Tallies): Tallies {
  const totals: Tallies = {};
  for (const [key, tally] of Object.entries(tallies)) {
    addTally(totals, key.split(" ").slice(0, 2).join(" "), tally);
  }
  return totals;
}

export function addTally(tallies: Tallies, key: string, more: Tally): void {
  const sum = (tallies[key] ??= {
    calls: 0,
    errors: 0,
    unmeasured: 0,
    sumUs: 0,
    minMs: null,
    maxMs: null,
    histogram: {},
  });
  sum.calls += more.calls;
  sum.errors += more.errors;
  sum.unmeasured += more.unmeasured;
  sum.sumUs += more.sumUs;
  if (more.minMs !== null) sum.minMs = Math.min(sum.minMs ?? Infinity, more.minMs);
  if (more.maxMs !== null) sum.maxMs = Math.max(sum.maxMs ?? 0, more.maxMs);
  for (const [bucket, calls] of Object.entries(more.histogram)) {
    sum.histogram[bucket] = (sum.histogram[bucket] ?? 0) + calls;
  }
}

export interface Difference {
  lost: number;
  doubled: number;
  /** One text for each key whose tallies differ. */
  lines: string[];
}

export function compareTallies(counted: Tallies, expected: Tallies): Difference {
  const difference: Difference = { lost: 0, doubled: 0, lines: [] };
  for (const key of new Set([...Object.keys(counted), ...Object.keys(expected)])) {
    const missing = (expected[key]?.calls ?? 0) - (counted[key]?.calls ?? 0);
    if (missing > 0) difference.lost += missing;
    else difference.doubled -= missing;
    const [is, shouldBe] = [show(counted[key]), show(expected[key])];
    if (is !== shouldBe) difference.lines.push(`${key}\n  is        ${is}\n  should be ${shouldBe}`);
  }
  return difference;
}

function show(tally: Tally | undefined): string {
  if (!tally) return "missing";
  const { calls, errors, unmeasured, sumUs, minMs, maxMs } = tally;
  const buckets = Object.entries(tally.histogram).sort(([a], [b]) => Number(a) - Number(b));
  const histogram = buckets.map(([bucket, inBucket]) => `${bucket}:${inBucket}`).join(" ");
  return `${calls} calls, ${errors} errors, ${unmeasured} unmeasured, ${sumUs} µs, ${minMs}…${maxMs} ms, {${histogram}}`;
}
