/** `GET /metrics` as JSON: what every function did since the beginning. */
import type { FunctionTotals } from "../stats/delta.ts";
import { quantiles } from "../stats/histogram.ts";

/** Durations in milliseconds over measured calls, null where there is none; times in ISO 8601. */
export interface FunctionMetrics {
  service: string;
  module: string;
  function: string;
  calls: number;
  errors: number;
  averageMs: number | null;
  minMs: number | null;
  maxMs: number | null;
  unmeasured: number;
  p50Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
  firstSeen: string;
  lastSeen: string;
}

/** The most called first; among equals by name, so that the order is the same each time. */
export function listFunctions(totals: readonly FunctionTotals[]): FunctionMetrics[] {
  return totals
    .map(toMetrics)
    .sort(
      (a, b) =>
        b.calls - a.calls ||
        compare(a.service, b.service) ||
        compare(a.module, b.module) ||
        compare(a.function, b.function),
    );
}

function toMetrics(totals: FunctionTotals): FunctionMetrics {
  const measured = totals.calls - totals.unmeasured;
  const [p50, p95, p99] = quantiles(totals.histogram, [0.5, 0.95, 0.99], totals.minMs, totals.maxMs);
  return {
    service: totals.service,
    module: totals.module,
    function: totals.function,
    calls: totals.calls,
    errors: totals.errors,
    averageMs: measured > 0 ? round(totals.sumUs / 1000 / measured) : null,
    minMs: totals.minMs,
    maxMs: totals.maxMs,
    unmeasured: totals.unmeasured,
    p50Ms: round(p50!),
    p95Ms: round(p95!),
    p99Ms: round(p99!),
    firstSeen: new Date(totals.firstSeen).toISOString(),
    lastSeen: new Date(totals.lastSeen).toISOString(),
  };
}

/** Six digits: far below what the histogram resolves, and no noise of binary fractions. */
function round(ms: number | null): number | null {
  return ms === null ? null : Number(ms.toPrecision(6));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
