import { describe, expect, it } from "vitest";
import {
  attentionOf,
  compareAttention,
  type Observed,
  sentence,
} from "../../dashboard/overview/attention.ts";

const MINUTE = 60_000;
const NOW = 1_795_512_600_000;
const HOUR = { lengthMs: 60 * MINUTE, endsAt: NOW, stepMs: 2 * MINUTE };
const STEPS = 30;

const each = (n: number) => Array.from({ length: STEPS }, () => n);
const sums = { calls: 3_000, errors: 0, unmeasured: 0, p95Ms: 100 };

/** A hundred successful calls in each step, in this range and in the previous one. */
function observed(changes: Partial<Observed> = {}): Observed {
  return {
    ...sums,
    sparkline: { calls: each(100), errors: each(0) },
    lastSeenAt: NOW - 10_000,
    previous: sums,
    ...changes,
  };
}

function said(changes: Partial<Observed>, period = HOUR): string | undefined {
  const attention = attentionOf(observed(changes), period);
  return attention && sentence(attention).replaceAll("\u00a0", " ");
}

describe("attentionOf", () => {
  it("finds nothing if nothing changed", () => {
    expect(said({})).toBeUndefined();
    expect(said({ previous: undefined })).toBeUndefined();
  });

  it("reports a function if more than 5 % of its calls fail", () => {
    const errors = { errors: 180, sparkline: { calls: each(100), errors: each(6) } };
    expect(said(errors)).toBe("Failing: 6.0 % of calls fail, was 0 %");
    expect(said({ ...errors, previous: { ...sums, errors: 180 } })).toBe(
      "Failing: 6.0 % of calls fail, as before",
    );
    expect(said({ ...errors, previous: undefined })).toBe("Failing: 6.0 % of calls fail");
  });

  it("reports a rising error rate, but not a steady low one, and not one or two errors", () => {
    const errors = { errors: 60, sparkline: { calls: each(100), errors: each(2) } };
    expect(said({ ...errors, previous: { ...sums, errors: 6 } })).toBe(
      "Failing: 2.0 % of calls fail, was 0.2 %",
    );
    expect(said({ ...errors, previous: { ...sums, errors: 45 } })).toBeUndefined();
    const few = { calls: 4, errors: 2, sparkline: { calls: each(0), errors: each(0) } };
    expect(said({ ...few, previous: undefined })).toBeUndefined();
  });

  it("says whether only the end of the range fails, or no longer fails", () => {
    const late = [...each(0).slice(0, 26), 40, 40, 40, 40];
    expect(said({ errors: 160, sparkline: { calls: each(100), errors: late } })).toBe(
      "Failing: 40 % of calls fail in the last 8 min, was 0 %",
    );
    expect(said({ errors: 160, sparkline: { calls: each(100), errors: late.toReversed() } })).toBe(
      "Failing: 5.3 % of calls fail, but none in the last 8 min, was 0 %",
    );
  });

  it("reports a p95 that rose by half, if enough calls were measured and the rise is at least 1 ms", () => {
    expect(said({ p95Ms: 320 })).toBe("Slower: p95 is 320 ms, was 100 ms, ×3.2");
    expect(said({ p95Ms: 140 })).toBeUndefined();
    expect(said({ p95Ms: 320, calls: 25, unmeasured: 10 })).toBeUndefined();
    expect(said({ p95Ms: 0.9, previous: { ...sums, p95Ms: 0.1 } })).toBeUndefined();
  });

  it("reports a function that stopped being called", () => {
    const silent = {
      calls: 2_000,
      sparkline: { calls: [...each(100).slice(0, 20), ...each(0).slice(0, 10)], errors: each(0) },
      lastSeenAt: NOW - 20 * MINUTE,
    };
    expect(said(silent)).toBe("Silent: last call 20 min ago, was 0.83 calls/s");
    const gone = { calls: 0, sparkline: { calls: each(0), errors: each(0) }, lastSeenAt: NOW - 61 * MINUTE };
    expect(said(gone)).toMatch(/^Silent: last call 61 min ago/);
  });

  it("ignores a pause that is usual for the function, or shorter than a late report", () => {
    const hourly = { calls: 60, lastSeenAt: NOW - 8 * MINUTE, previous: { ...sums, calls: 60 } };
    const bursts = each(0).map((_, i) => (i % 10 === 5 ? 20 : 0));
    expect(said({ ...hourly, sparkline: { calls: bursts, errors: each(0) } })).toBeUndefined();
    expect(said({ lastSeenAt: NOW - 3 * MINUTE })).toBeUndefined();
  });

  it("judges a past range at its own end, whatever happened since", () => {
    const period = { ...HOUR, endsAt: NOW - 24 * 60 * MINUTE };
    expect(said({}, period)).toBeUndefined();
    const calls = [...each(100).slice(0, 15), ...each(0).slice(0, 15)];
    expect(said({ calls: 1_500, sparkline: { calls, errors: each(0) } }, period)).toMatch(
      /^Silent: last call 30 min ago/,
    );
  });

  it("lists a function that fails as before below everything new", () => {
    const failing = { errors: 1_500, sparkline: { calls: each(100), errors: each(50) } };
    const known = attentionOf(observed({ ...failing, previous: { ...sums, errors: 1_500 } }), HOUR)!;
    const slower = attentionOf(observed({ p95Ms: 320 }), HOUR)!;
    const failingNow = attentionOf(observed({ errors: 180, sparkline: failing.sparkline }), HOUR)!;
    expect([known, slower, failingNow].sort(compareAttention)).toEqual([failingNow, slower, known]);
  });
});
