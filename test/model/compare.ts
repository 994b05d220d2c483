/** The one question of every history: is what is shown what was acknowledged? */
import { env } from "cloudflare:workers";
import { app } from "../../src/app.ts";
import { limits } from "../../src/api/limits.ts";
import { type FunctionMetrics, functionMetrics } from "../../src/api/function-metrics.ts";
import type { FunctionList } from "../../src/api/list-functions.ts";
import type { FunctionTotals } from "../../src/stats/delta.ts";
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

interface Truth {
  /** What counts, in the order of the acknowledgements. */
  counted: readonly Part[][];
  /** Each of these may be recorded or not. */
  doubtful: readonly Batch[];
  /** Those of the counted that another storage sealed. */
  orphans: readonly Part[][];
  /** Where a read took its time, how many of the counted were so before it began. */
  from?: number | undefined;
}

/** A read must show what counted at some moment of its time, with any of those in doubt. */
export function compareTotals(totals: readonly FunctionTotals[], truth: Truth): void {
  const { counted, doubtful, from = counted.length } = truth;
  const actual = tableOfTotals(totals);
  // What an orphan brings is seen as of the read of D1, and what was posted as of the snapshot: in no common order.
  const orphans = counted.slice(from).filter((parts) => truth.orphans.includes(parts));
  const extras = subsets([...doubtful.map((batch) => batch.partsAt(batch.sentAt)), ...orphans]);
  for (let upTo = counted.length; upTo >= from; upTo--) {
    const parts = counted.slice(0, upTo).filter((some) => !orphans.includes(some));
    if (extras.some((extra) => difference(actual, totalsOf([...parts.flat(), ...extra])) === "")) return;
  }
  throw new Error(`GET /metrics\n${difference(actual, totalsOf(counted.flat()))}`);
}

/** Once the buffer is empty, D1 alone must say what counts, in all of its tables, and `GET /metrics` the same. */
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

function tableOfTotals(totals: readonly FunctionTotals[]): Table {
  return sorted(
    totals.map((row) => [
      `${row.service}/${row.function}`,
      line({ ...row, histogram: histogramOf(row.buckets) }),
    ]),
  );
}

async function readMetrics(): Promise<FunctionMetrics[]> {
  const response = await app.request(`/metrics?limit=${limits.functionsPerPage}`, {}, env);
  return (await response.json<FunctionList>()).functions;
}

function tableOfMetrics(rows: readonly FunctionMetrics[]): Table {
  return sorted(rows.map((row) => [`${row.service}/${row.function}`, JSON.stringify(row)]));
}

function subsets(sets: readonly Part[][]): Part[][] {
  return sets.reduce<Part[][]>((known, set) => [...known, ...known.map((other) => [...other, ...set])], [[]]);
}
