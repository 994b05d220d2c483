/** Decides which functions need attention (failing, slower, silent), and writes the reason as a sentence. */
import { ago, change, duration, percent, rate, span, text } from "../format.ts";

export type Kind = "failing" | "slower" | "silent";

export interface Attention {
  kind: Kind;
  /** The current state in a few words. */
  says: string;
  /** The previous state in a few words; empty if unknown. */
  before: string;
  /** Larger is worse. Comparable within a kind only. */
  weight: number;
}

interface Sums {
  calls: number;
  errors: number;
  unmeasured: number;
  p95Ms: number | null;
}

/** One function over the range, and over the previous range if that is loaded. */
export interface Observed extends Sums {
  sparkline: { calls: readonly number[]; errors: readonly number[] };
  /** Epoch milliseconds. */
  lastSeenAt: number;
  previous: Sums | undefined;
}

/** The length of both ranges, the end of the current one, and the length of a step, in milliseconds. */
export interface Period {
  lengthMs: number;
  endsAt: number;
  stepMs: number;
}

/** The threshold of examples/alerts.yml. */
const MANY_ERRORS = 0.05;
const FEW_ERRORS = 3;
/** A p95 of fewer measured calls is noise. */
const CALLS_FOR_P95 = 20;
const SLOWER_BY = 1.5;
const SLOWER_BY_MS = 1;
/** Clients report every 30 s, so a shorter silence may only be a late report. */
const SILENT_MS = 5 * 60_000;
const EXPECTED_CALLS = 10;

const AS_BEFORE = "as before";

export const KINDS: Record<Kind, { label: string; order: number }> = {
  failing: { label: "Failing", order: 0 },
  slower: { label: "Slower", order: 1 },
  silent: { label: "Silent", order: 2 },
};

/** The most urgent reason, or none. */
export function attentionOf(row: Observed, period: Period): Attention | undefined {
  return isFailing(row, period) ?? isSlower(row) ?? isSilent(row, period);
}

/** What is new comes first, then the worst. A function that always fails is known already. */
export function compareAttention(a: Attention, b: Attention): number {
  const isKnown = ({ before }: Attention) => Number(before === AS_BEFORE);
  return isKnown(a) - isKnown(b) || KINDS[a.kind].order - KINDS[b.kind].order || b.weight - a.weight;
}

/** Checks the whole range and its last eighth, and returns the worse finding. */
function isFailing(row: Observed, { stepMs }: Period): Attention | undefined {
  const whole = judgeErrors(row, row.previous);
  const { calls, errors } = row.sparkline;
  const steps = Math.max(3, Math.round(calls.length / 8));
  if (calls.length < 2 * steps) return whole;
  const recent = { calls: total(calls.slice(-steps)), errors: total(errors.slice(-steps)) };
  const earlier = { calls: row.calls - recent.calls, errors: row.errors - recent.errors };
  const lately = `in the last ${span(steps * stepMs)}`;
  if (whole && recent.errors === 0) return { ...whole, says: `${whole.says}, but none ${lately}` };
  const found = judgeErrors(recent, row.previous?.calls ? row.previous : earlier);
  const isWorse = recent.errors * row.calls > 1.5 * row.errors * recent.calls;
  if (!found || (whole && !isWorse)) return whole;
  return { ...found, says: `${found.says} ${lately}`, weight: row.errors };
}

interface Counts {
  calls: number;
  errors: number;
}

function judgeErrors(now: Counts, before: Counts | undefined): Attention | undefined {
  if (now.errors < FEW_ERRORS) return undefined;
  const share = now.errors / now.calls;
  const shareBefore = before && before.calls > 0 ? before.errors / before.calls : undefined;
  const isRising =
    shareBefore !== undefined && share >= 0.01 && share >= 2 * shareBefore && isNoChance(now, before!);
  if (share <= MANY_ERRORS && !isRising) return undefined;
  const was =
    shareBefore === undefined
      ? ""
      : Math.abs(share - shareBefore) < 0.1 * share
        ? AS_BEFORE
        : `was ${text(percent(shareBefore))}`;
  return { kind: "failing", says: `${text(percent(share))} of calls fail`, before: was, weight: now.errors };
}

/** Whether two shares differ by more than three standard errors. */
function isNoChance(now: Counts, before: Counts): boolean {
  const pooled = (now.errors + before.errors) / (now.calls + before.calls);
  const deviation = Math.sqrt(pooled * (1 - pooled) * (1 / now.calls + 1 / before.calls));
  return (now.errors / now.calls - before.errors / before.calls) / deviation >= 3;
}

function isSlower(row: Observed): Attention | undefined {
  const { previous } = row;
  if (row.p95Ms === null || !previous || previous.p95Ms === null) return undefined;
  const isKnown = measured(row) >= CALLS_FOR_P95 && measured(previous) >= CALLS_FOR_P95;
  const isUp = row.p95Ms >= SLOWER_BY * previous.p95Ms && row.p95Ms - previous.p95Ms >= SLOWER_BY_MS;
  if (!isKnown || !isUp) return undefined;
  return {
    kind: "slower",
    says: `p95 is ${text(duration(row.p95Ms))}`,
    before: `was ${text(duration(previous.p95Ms))}, ${change(row.p95Ms, previous.p95Ms)}`,
    weight: row.p95Ms / previous.p95Ms,
  };
}

/** Silent: a pause that is twice as long as any before it, in which at least `EXPECTED_CALLS` were due. */
function isSilent(row: Observed, { lengthMs, endsAt, stepMs }: Period): Attention | undefined {
  const { calls } = row.sparkline;
  const lastStep = calls.findLastIndex((n) => n > 0);
  const before = row.calls + (row.previous?.calls ?? 0);
  // Exact to the millisecond, unless the function was called again after the range.
  const quietMs = row.lastSeenAt < endsAt ? endsAt - row.lastSeenAt : (calls.length - 1 - lastStep) * stepMs;
  const activeMs = Math.max(stepMs, (row.previous ? 2 : 1) * lengthMs - quietMs);
  const expected = (before / activeMs) * Math.min(quietMs, lengthMs);
  const pauseMs = longestPause(calls.slice(0, lastStep + 1)) * stepMs;
  if (quietMs < Math.max(SILENT_MS, 2 * pauseMs) || expected < EXPECTED_CALLS) return undefined;
  return {
    kind: "silent",
    says: `last call ${ago(endsAt - quietMs, endsAt)}`,
    before: `was ${text(rate(before / (activeMs / 1000)))} calls/s`,
    weight: expected,
  };
}

/** The longest run of steps without a call, between calls or before the first one. */
function longestPause(calls: readonly number[]): number {
  let longest = 0;
  let current = 0;
  for (const n of calls) {
    current = n > 0 ? 0 : current + 1;
    longest = Math.max(longest, current);
  }
  return longest;
}

function measured(row: { calls: number; unmeasured: number }): number {
  return row.calls - row.unmeasured;
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, n) => sum + n, 0);
}

/** The reason as one sentence, for tooltips. */
export function sentence({ kind, says, before }: Attention): string {
  return `${KINDS[kind].label}: ${says}${before === "" ? "" : `, ${before}`}`;
}
