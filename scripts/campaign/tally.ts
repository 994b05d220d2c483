/** What calls add up to, by function and minute: the same shape for what was called and for what D1 says. */

export interface Tally {
  calls: number;
  errors: number;
  sumUs: number;
  histogram: Record<string, number>;
}

/** By "service function minute", the minute in epoch seconds. */
export type Tallies = Record<string, Tally>;

export function addCall(tallies: Tallies, key: string, durationMs: number, isError: boolean): void {
  const tally = (tallies[key] ??= { calls: 0, errors: 0, sumUs: 0, histogram: {} });
  const bucket = String(Math.ceil(Math.log2(durationMs) * 32) - 1);
  tally.calls++;
  if (isError) tally.errors++;
  tally.sumUs += Math.round(durationMs * 1000);
  tally.histogram[bucket] = (tally.histogram[bucket] ?? 0) + 1;
}

export function totalCalls(tallies: Tallies): number {
  return Object.values(tallies).reduce((sum, { calls }) => sum + calls, 0);
}

/** The same, without minutes: by "service function". */
export function totalsOf(tallies: Tallies): Tallies {
  const totals: Tallies = {};
  for (const [key, tally] of Object.entries(tallies)) {
    const total = (totals[key.split(" ").slice(0, 2).join(" ")] ??= {
      calls: 0,
      errors: 0,
      sumUs: 0,
      histogram: {},
    });
    total.calls += tally.calls;
    total.errors += tally.errors;
    total.sumUs += tally.sumUs;
    for (const [bucket, calls] of Object.entries(tally.histogram)) {
      total.histogram[bucket] = (total.histogram[bucket] ?? 0) + calls;
    }
  }
  return totals;
}

export interface Difference {
  lost: number;
  doubled: number;
  /** A sentence for each function and minute that is not as it should be. */
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
  const buckets = Object.entries(tally.histogram).sort(([a], [b]) => Number(a) - Number(b));
  const histogram = buckets.map(([bucket, calls]) => `${bucket}:${calls}`).join(" ");
  return `${tally.calls} calls, ${tally.errors} errors, ${tally.sumUs} µs, {${histogram}}`;
}
