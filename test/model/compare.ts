/** Compares what reads and D1 show with what was acknowledged. */
import { env } from "cloudflare:workers";
import { app } from "../../src/app.ts";
import { limits } from "../../src/api/limits.ts";
import { type FunctionMetrics, functionMetrics } from "../../src/api/function-metrics.ts";
import type { FunctionList } from "../../src/api/list-functions.ts";
import type { Batch } from "./batch.ts";
import {
  difference,
  failuresOf,
  histogramOf,
  line,
  type Part,
  readD1,
  rollupTables,
  sorted,
  type Table,
  totalsOf,
} from "./counts.ts";
import type { SeriesTotals } from "../../src/stats/sums.ts";

interface Truth {
  /** Batches that count, in the order of their acknowledgements. */
  counted: readonly Part[][];
  /** Batches without an answer. Each may be recorded or not. */
  doubtful: readonly Batch[];
  /** Counted flushes that a lost storage sealed. */
  orphans: readonly Part[][];
  /** How many batches counted when the read began. Left out if nothing happened during the read. */
  from?: number | undefined;
}

/** A read must show what counted at some moment of the read, with any subset of the batches in doubt. */
export function compareTotals(totals: readonly SeriesTotals[], truth: Truth): void {
  const { counted, doubtful, from = counted.length } = truth;
  const actual = tableOfTotals(totals);
  // A read sees orphans as of its request to D1, and posted batches as of its snapshot, so in no common order.
  const orphans = counted.slice(from).filter((parts) => truth.orphans.includes(parts));
  const extras = subsets([...doubtful.map((batch) => batch.partsAt(batch.sentAt)), ...orphans]);
  for (let upTo = counted.length; upTo >= from; upTo--) {
    const parts = counted.slice(0, upTo).filter((some) => !orphans.includes(some));
    if (extras.some((extra) => difference(actual, totalsOf([...parts.flat(), ...extra])) === "")) return;
  }
  throw new Error(`GET /metrics\n${difference(actual, totalsOf(counted.flat()))}`);
}

/** The buffer is empty. D1 alone must have the right counts in all its tables, and `GET /metrics` must show the same. */
export async function compareD1(counted: readonly Part[], mayForgetFailures: boolean): Promise<void> {
  const [shown, stored] = await Promise.all([readMetrics(), readD1()]);
  const [rollups, expectedRollups] = rollupTables(stored.rollups, counted);
  const listed = stored.totals.map(functionMetrics);
  const differences = [
    ["functions", difference(tableOfTotals(stored.totals), totalsOf(counted))],
    ["rollups", difference(rollups, expectedRollups)],
    ["failures", mayForgetFailures ? "" : difference(stored.failures, failuresOf(counted))],
    ["functions, and GET /metrics", difference(tableOfMetrics(shown), tableOfMetrics(listed))],
  ].filter(([, text]) => text !== "");
  if (differences.length > 0) {
    throw new Error(differences.map(([table, text]) => `D1, ${table}\n${text}`).join("\n"));
  }
}

function tableOfTotals(totals: readonly SeriesTotals[]): Table {
  return sorted(
    totals.map((row) => [
      `${row.service}/${row.function}`,
      line({ ...row, histogram: histogramOf(row.buckets) }),
    ]),
  );
}

async function readMetrics(): Promise<FunctionMetrics[]> {
  const response = await app.request(`/metrics?silent=include&limit=${limits.functionsPerPage}`, {}, env);
  return (await response.json<FunctionList>()).functions;
}

function tableOfMetrics(rows: readonly FunctionMetrics[]): Table {
  return sorted(rows.map((row) => [`${row.service}/${row.function}`, JSON.stringify(row)]));
}

function subsets(sets: readonly Part[][]): Part[][] {
  return sets.reduce<Part[][]>((known, set) => [...known, ...known.map((other) => [...other, ...set])], [[]]);
}
