/** Computes what the counters must be, in the simplest way and without any code under test. */
import { env } from "cloudflare:workers";
import type { SeriesTotals } from "../../src/stats/sums.ts";

export interface Counts {
  calls: number;
  errors: number;
  unmeasured: number;
  sumUs: number;
  minMs: number | null;
  maxMs: number | null;
  histogram: Record<string, number>;
}

/** Calls of one function in one minute. */
export interface Part extends Counts {
  /** Service and name, as "shop/work". */
  function: string;
  /** Epoch seconds at which the minute starts. */
  minute: number;
  failures: Record<string, number>;
}

/** Text by key. Two tables are compared as strings, so that a difference is readable. */
export type Table = Record<string, string>;

/** Totals by function. */
export function totalsOf(parts: readonly Part[]): Table {
  return tableOf(parts, (part) => part.function);
}

export function tableOf(
  parts: readonly Part[],
  keyOf: (part: Part) => string,
  lineOf: (counts: Counts) => string = line,
): Table {
  const sums = new Map<string, Counts>();
  for (const part of parts) {
    const key = keyOf(part);
    const sum = sums.get(key);
    if (!sum) {
      sums.set(key, { ...part, histogram: { ...part.histogram } });
      continue;
    }
    sum.calls += part.calls;
    sum.errors += part.errors;
    sum.unmeasured += part.unmeasured;
    sum.sumUs += part.sumUs;
    sum.minMs = Math.min(sum.minMs ?? Infinity, part.minMs ?? Infinity);
    sum.maxMs = Math.max(sum.maxMs ?? 0, part.maxMs ?? 0);
    if (sum.minMs === Infinity) sum.minMs = sum.maxMs = null;
    for (const bucket in part.histogram) {
      sum.histogram[bucket] = (sum.histogram[bucket] ?? 0) + part.histogram[bucket]!;
    }
  }
  return sorted([...sums].map(([key, sum]) => [key, lineOf(sum)]));
}

export function failuresOf(parts: readonly Part[]): Table {
  const sums = new Map<string, number>();
  for (const part of parts) {
    for (const name in part.failures) {
      const key = `${part.function} ${name}`;
      sums.set(key, (sums.get(key) ?? 0) + part.failures[name]!);
    }
  }
  return sorted([...sums].map(([key, calls]) => [key, String(calls)]));
}

/** From a list of pairs of index and count, in any order, with repeated indexes. */
export function histogramOf(buckets: readonly number[]): Record<string, number> {
  const histogram: Record<string, number> = {};
  for (const [i, index] of buckets.entries()) {
    if (i % 2 === 0) histogram[index] = (histogram[index] ?? 0) + buckets[i + 1]!;
  }
  return histogram;
}

/** The counts of one function as a line of text. */
export function line(counts: Counts): string {
  const { calls, errors, unmeasured, sumUs, minMs, maxMs } = counts;
  const buckets = Object.entries(counts.histogram).sort(([a], [b]) => Number(a) - Number(b));
  const histogram = buckets.map(([bucket, count]) => `${bucket}:${count}`).join(" ");
  return `calls ${calls}, errors ${errors}, unmeasured ${unmeasured}, sum ${sumUs} µs, ${minMs}…${maxMs} ms, {${histogram}}`;
}

export function sorted(entries: [string, string][]): Table {
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The first lines in which two tables differ. Empty if they are equal. */
export function difference(actual: Table, expected: Table): string {
  return [...new Set([...Object.keys(actual), ...Object.keys(expected)])]
    .filter((key) => actual[key] !== expected[key])
    .map(
      (key) =>
        `  ${key}\n    is        ${actual[key] ?? "missing"}\n    should be ${expected[key] ?? "missing"}`,
    )
    .slice(0, 5)
    .join("\n");
}

const tallyOf = (table: string) =>
  `${table}.calls, ${table}.errors, ${table}.unmeasured, ${table}.sum_us AS sumUs, ${table}.min_ms AS minMs,
   ${table}.max_ms AS maxMs, ${table}.histogram`;

/** What D1 holds. */
export interface Stored {
  totals: SeriesTotals[];
  rollups: Rollup[];
  failures: Table;
  closed: Closed[];
  /** By function. */
  ids: Record<string, number>;
}

/** A row of the table `closed`. */
export interface Closed {
  resolution: number;
  until: number;
  next: number;
  upto: number;
}

/** Reads the tables of D1 in one transaction. */
export async function readD1(): Promise<Stored> {
  const [functions, rollups, failures, closed] = await env.DB.batch<Record<string, unknown>>([
    env.DB.prepare(
      `SELECT f.id, f.service, f.module, f.name AS function, f.first_seen AS firstSeen, f.last_seen AS lastSeen, ${tallyOf("f")}
       FROM functions AS f`,
    ),
    env.DB.prepare(
      `SELECT f.service || '/' || f.name AS function, width, start AS minute, ${tallyOf("r")}
       FROM rollups AS r JOIN functions AS f ON f.id = r.function_id`,
    ),
    env.DB.prepare(
      `SELECT f.service || '/' || f.name || ' ' || e.name AS failure, e.calls
       FROM failures AS e JOIN functions AS f ON f.id = e.function_id`,
    ),
    env.DB.prepare("SELECT * FROM closed"),
  ]);
  const parsed = (row: Record<string, unknown>) => ({
    ...row,
    histogram: JSON.parse(row.histogram as string) as Record<string, number>,
    failures: {},
  });
  const withBuckets = ({ histogram, ...row }: { histogram: Record<string, number> }): unknown => ({
    ...row,
    buckets: Object.entries(histogram).flatMap(([index, count]) => [Number(index), count]),
  });
  return {
    totals: functions!.results.map((row) => withBuckets(parsed(row)) as SeriesTotals),
    rollups: rollups!.results.map((row) => parsed(row) as unknown as Rollup),
    failures: sorted(failures!.results.map((row) => [row.failure as string, String(row.calls)])),
    closed: closed!.results as unknown as Closed[],
    ids: Object.fromEntries(
      functions!.results.map((row) => [
        `${row.service as string}/${row.function as string}`,
        row.id as number,
      ]),
    ),
  };
}

/** A rollup. `minute` is its start, and `width` its resolution, as in SQL. Both are in seconds. */
export type Rollup = Part & { width: number };
