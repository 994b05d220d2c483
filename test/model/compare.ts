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
  sorted,
  type Table,
  tableOf,
  totalsOf,
} from "./counts.ts";
import { askIncrease, askTotals, countersOf } from "./promql.ts";
import { rollupTables } from "./rollups.ts";
import { resolveRange } from "../../src/read/range.ts";
import { ONE_STEP, readSeries } from "../../src/read/series.ts";
import { DAY, HOUR, MINUTE } from "../../src/stats/tiers.ts";
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

/**
 * The buffer is empty. D1 alone must have the right counts in all its tables, and `GET /metrics` must show the same.
 *
 * @param latest the latest time that the clock has shown, in epoch milliseconds
 */
export async function compareD1(
  counted: readonly Part[],
  mayForgetFailures: boolean,
  latest: number,
): Promise<void> {
  const [shown, stored] = await Promise.all([readMetrics(), readD1()]);
  const [rollups, expectedRollups] = rollupTables(stored, counted, latest);
  const listed = stored.totals.map(functionMetrics);
  const differences = [
    ["functions", difference(tableOfTotals(stored.totals), totalsOf(counted))],
    ["rollups", difference(rollups, expectedRollups)],
    ["failures", mayForgetFailures ? "" : difference(stored.failures, failuresOf(counted))],
    ...(await Promise.all(
      RANGES.map(async (range) => [
        `range ${JSON.stringify(range)}`,
        await rangeDifference(range, counted, latest),
      ]),
    )),
    ["functions, and GET /metrics", difference(tableOfMetrics(shown), tableOfMetrics(listed))],
  ].filter(([, text]) => text !== "");
  if (differences.length > 0) {
    throw new Error(differences.map(([table, text]) => `D1, ${table}\n${text}`).join("\n"));
  }
}

/**
 * PromQL must count the same calls as other reads. Nothing happens meanwhile.
 *
 * @param latest the latest time that the clock has shown, in epoch milliseconds. PromQL is asked for a time, and does not count
 *   calls that were made later. If the clock was set back, those are the calls from before that.
 */
export async function comparePromql(totals: readonly SeriesTotals[], latest: number): Promise<void> {
  const expected = sorted(
    totals.filter(({ calls }) => calls > 0).map((row) => [`${row.service}/${row.function}`, countersOf(row)]),
  );
  const text = difference(await askTotals(latest), expected);
  if (text !== "") throw new Error(`PromQL\n${text}`);
}

/** Ranges by their age and by their step, in seconds. Each is cut at another place. */
const RANGES = [
  { from: 26.3 * HOUR, to: 0, step: ONE_STEP },
  { from: 47.7 * HOUR, to: 0.4 * HOUR, step: HOUR },
  { from: 3 * HOUR, to: 0, step: MINUTE },
  { from: 30 * DAY, to: 0, step: DAY },
  { from: 120 * DAY, to: 1.4 * HOUR, step: ONE_STEP },
  { from: 150 * DAY, to: 71 * MINUTE, step: DAY },
];

/** Reads a range, and compares each point of each function with what was written in its time. */
async function rangeDifference(
  age: (typeof RANGES)[number],
  counted: readonly Part[],
  latest: number,
): Promise<string> {
  const range = resolveRange({ from: latest - age.from * 1000, to: latest - age.to * 1000 }, latest);
  const at = (start: number) =>
    age.step === ONE_STEP ? range.from : Math.floor(start / age.step) * age.step;
  const actual: [string, string][] = [];
  for await (const { points, ...series } of readSeries(env, {}, range, age.step)) {
    for (const { at: start, sums } of points) {
      const text = line({ ...sums, histogram: histogramOf(sums.buckets) });
      actual.push([`${series.service}/${series.function} ${start}`, text]);
    }
  }
  const within = counted.filter(({ minute }) => minute >= range.from && minute < range.to);
  const increases = await askIncrease(range, latest);
  return [
    difference(
      sorted(actual),
      tableOf(within, (part) => `${part.function} ${at(part.minute)}`),
    ),
    difference(
      increases,
      tableOf(within, (part) => part.function, countersOf),
    ),
  ].join("");
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
