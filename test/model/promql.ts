/** Asks PromQL for the counters of every function. They must be those of the other reads. */
import { env } from "cloudflare:workers";
import { CollectorSource } from "../../src/prometheus/query/source.ts";
import { query } from "../../src/promql/engine.ts";
import type { Range } from "../../src/stats/interval.ts";
import { sorted, type Table } from "./counts.ts";

interface Counted {
  calls: number;
  errors: number;
  unmeasured: number;
  sumUs: number;
}

/** The counters of one function as a line of text. */
export function countersOf({ calls, errors, unmeasured, sumUs }: Counted): string {
  return lineOf({ ok: calls - errors, error: errors, measured: calls - unmeasured, seconds: sumUs / 1e6 });
}

/** What happened in the range. Functions without a call in it are left out. */
export function askIncrease({ from, to }: Range, nowMs: number): Promise<Table> {
  return ask((metric) => `increase(${metric}[${to - from}s])`, to * 1000, nowMs);
}

/** All calls since the beginning. */
export function askTotals(nowMs: number): Promise<Table> {
  return ask((metric) => metric, nowMs + 60_000, nowMs);
}

async function ask(of: (metric: string) => string, timeMs: number, nowMs: number): Promise<Table> {
  const named = (metric: string, name: string) => `label_replace(${of(metric)}, "result", "${name}", "", "")`;
  const text = [
    of("function_calls_total"),
    named("function_calls_duration_seconds_count", "measured"),
    named("function_calls_duration_seconds_sum", "seconds"),
  ].join(" or ");
  const target = { job: "metrics-collector", instance: "model" };
  const source = new CollectorSource(env, { target, build: {}, nowMs, forgetAfterMs: Infinity });
  try {
    const result = await query(text, timeMs, source);
    if (result.type !== "vector") throw new Error(result.type);
    const counters = new Map<string, Record<string, number>>();
    for (const { labels, value } of result.samples) {
      const key = `${labels.get("service_name")}/${labels.get("function")}`;
      counters.set(key, { ...counters.get(key), [labels.get("result")!]: value as number });
    }
    const called = [...counters].filter(([, { ok, error }]) => ok !== 0 || error !== 0);
    return sorted(called.map(([key, own]) => [key, lineOf(own)]));
  } finally {
    source[Symbol.dispose]();
  }
}

function lineOf({ ok, error, measured, seconds }: Record<string, number>): string {
  return `ok ${ok}, error ${error}, measured ${measured}, ${seconds?.toFixed(6)} s`;
}
