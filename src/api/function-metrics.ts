/** What answers say of a function's calls. Durations are milliseconds over measured calls, null where there is none. */
import * as z from "zod";
import type { FunctionTotals, Sums } from "../stats/delta.ts";
import { quantiles } from "../stats/histogram.ts";

const duration = z.number().nullable();

export const CallMetrics = z.object({
  calls: z.int(),
  errors: z.int(),
  errorRate: z.number().nullable().meta({ description: "errors / calls; null without calls." }),
  averageMs: duration,
  minMs: duration,
  maxMs: duration,
  unmeasured: z.int().meta({
    description: "Calls whose duration the clock could not see: counted as calls, never as durations.",
  }),
  p50Ms: duration,
  p90Ms: duration,
  p95Ms: duration,
  p99Ms: duration,
});
export type CallMetrics = z.infer<typeof CallMetrics>;

export const Identity = z.object({
  service: z.string(),
  module: z.string().meta({ description: "Empty where the sender named none." }),
  function: z.string(),
});

export const Seen = z.object({ firstSeen: z.iso.datetime(), lastSeen: z.iso.datetime() });

/** A function and what it did. */
export const FunctionMetrics = z.object({ ...Identity.shape, ...CallMetrics.shape, ...Seen.shape });
export type FunctionMetrics = z.infer<typeof FunctionMetrics>;

export function callMetrics(sums: Sums): CallMetrics {
  const measured = sums.calls - sums.unmeasured;
  const at = quantiles(sums.buckets, [0.5, 0.9, 0.95, 0.99], sums.minMs, sums.maxMs);
  const [p50Ms, p90Ms, p95Ms, p99Ms] = at.map((ms) => (ms === null ? null : round(ms)));
  return {
    calls: sums.calls,
    errors: sums.errors,
    errorRate: errorRate(sums),
    averageMs: measured > 0 ? round(sums.sumUs / 1000 / measured) : null,
    minMs: sums.minMs,
    maxMs: sums.maxMs,
    unmeasured: sums.unmeasured,
    p50Ms: p50Ms!,
    p90Ms: p90Ms!,
    p95Ms: p95Ms!,
    p99Ms: p99Ms!,
  };
}

export function functionMetrics(totals: FunctionTotals): FunctionMetrics {
  const { service, module, function: name } = totals;
  return { service, module, function: name, ...callMetrics(totals), ...seen(totals) };
}

export function errorRate({ calls, errors }: { calls: number; errors: number }): number | null {
  return calls > 0 ? round(errors / calls) : null;
}

export function seen(at: { firstSeen: number; lastSeen: number }): z.infer<typeof Seen> {
  return { firstSeen: new Date(at.firstSeen).toISOString(), lastSeen: new Date(at.lastSeen).toISOString() };
}

/** Six digits: far below what the histogram resolves, and no noise of binary fractions. */
export function round(value: number): number {
  return Number(value.toPrecision(6));
}
