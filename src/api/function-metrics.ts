/** Computes the metrics in answers from sums. Durations are milliseconds over measured calls, null if there are none. */
import * as z from "zod";
import { quantiles } from "../stats/histogram.ts";
import { failureKey, type SeenFailure } from "../stats/failures.ts";
import type { SeriesTotals, Sums } from "../stats/sums.ts";

const duration = z.number().nullable();

/** The quantiles that answers show, by field name. */
const QUANTILES = { p50Ms: 0.5, p90Ms: 0.9, p95Ms: 0.95, p99Ms: 0.99 } as const;
type Quantile = keyof typeof QUANTILES;
const QUANTILE_NAMES = Object.keys(QUANTILES) as Quantile[];
const QUANTILE_FIELDS = {
  p50Ms: duration,
  p90Ms: duration,
  p95Ms: duration,
  p99Ms: duration,
} satisfies Record<Quantile, typeof duration>;

export const CallMetrics = z.object({
  calls: z.int(),
  errors: z.int(),
  errorRate: z.number().nullable().meta({ description: "errors / calls; null without calls." }),
  averageMs: duration,
  minMs: duration,
  maxMs: duration,
  unmeasured: z.int().meta({
    description: "Calls whose duration could not be measured. They count as calls and not as durations.",
  }),
  ...QUANTILE_FIELDS,
});
export type CallMetrics = z.infer<typeof CallMetrics>;

export const Identity = z.object({
  service: z.string(),
  module: z.string().meta({ description: "Empty if the sender gave none." }),
  function: z.string(),
});

export const Seen = z.object({ firstSeen: z.iso.datetime(), lastSeen: z.iso.datetime() });

export const FunctionMetrics = z.object({ ...Identity.shape, ...CallMetrics.shape, ...Seen.shape });
export type FunctionMetrics = z.infer<typeof FunctionMetrics>;

export function callMetrics(sums: Sums): CallMetrics {
  const measured = sums.calls - sums.unmeasured;
  const values = quantiles(sums.buckets, Object.values(QUANTILES), sums.minMs, sums.maxMs);
  const named = QUANTILE_NAMES.map((name, i) => [name, values[i] === null ? null : round(values[i]!)]);
  return {
    calls: sums.calls,
    errors: sums.errors,
    errorRate: errorRate(sums),
    averageMs: measured > 0 ? round(sums.sumUs / 1000 / measured) : null,
    minMs: sums.minMs,
    maxMs: sums.maxMs,
    unmeasured: sums.unmeasured,
    ...(Object.fromEntries(named) as Record<Quantile, number | null>),
  };
}

export function functionMetrics(totals: SeriesTotals): FunctionMetrics {
  const { service, module, function: name } = totals;
  return { service, module, function: name, ...callMetrics(totals), ...seen(totals) };
}

export const FailureMetrics = z.object({
  name: z.string(),
  message: z.string(),
  calls: z.int().meta({ description: "Calls that ended in this error." }),
  ...Seen.shape,
});
export type FailureMetrics = z.infer<typeof FailureMetrics>;

/** The most frequent first. */
export function failureMetrics(failures: readonly SeenFailure[]): FailureMetrics[] {
  const byCalls = failures.toSorted((a, b) => b.calls - a.calls || (failureKey(a) < failureKey(b) ? -1 : 1));
  return byCalls.map(({ name, message, calls, ...at }) => ({ name, message, calls, ...seen(at) }));
}

export function errorRate({ calls, errors }: { calls: number; errors: number }): number | null {
  return calls > 0 ? round(errors / calls) : null;
}

export function seen(at: { firstSeen: number; lastSeen: number }): z.infer<typeof Seen> {
  return { firstSeen: new Date(at.firstSeen).toISOString(), lastSeen: new Date(at.lastSeen).toISOString() };
}

/** Rounds to six digits. That is finer than the histogram resolves, and hides the noise of binary fractions. */
export function round(value: number): number {
  return Number(value.toPrecision(6));
}
