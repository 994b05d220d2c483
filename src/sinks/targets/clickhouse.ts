/**
 * ClickHouse over HTTP. A table with the engine ReplacingMergeTree(version) keeps the row with the highest version of each key.
 * docs/sinks.md has the statement that makes the table.
 */
import * as z from "zod";
import { gzip } from "../gzip.ts";
import {
  type Answer,
  type Deletion,
  type OutgoingRequest,
  type Row,
  type Sink,
  type Verdict,
} from "../sink.ts";

const NAME = "a name of letters, digits and _";
const identifier = z.string().regex(/^[A-Za-z_]\w{0,127}$/, { error: NAME });

const ClickHouseConfiguration = z.strictObject({
  type: z.literal("clickhouse"),
  url: z.url({ error: "an address such as https://clickhouse.example:8443" }).max(2_000),
  database: identifier.default("default"),
  table: identifier.default("minutes"),
  user: z.string().min(1).max(200).optional(),
  password: z.string().max(1_000).optional(),
});
type ClickHouseConfiguration = z.infer<typeof ClickHouseConfiguration>;

export const clickhouse: Sink<ClickHouseConfiguration> = {
  name: "clickhouse",
  configuration: ClickHouseConfiguration,
  secrets: ["password"],
  addressOf: ({ url }) => url,
  async encode(rows, configuration) {
    const body = await gzip(rows.map((row) => `${JSON.stringify(toColumns(row))}\n`).join(""));
    const { url, headers } = query(`INSERT INTO ${configuration.table} FORMAT JSONEachRow`, configuration);
    return { url, headers: { ...headers, "Content-Encoding": "gzip" }, body };
  },
  encodeDeletion(deletion, configuration) {
    const statement = `ALTER TABLE ${configuration.table} DELETE WHERE ${conditionOf(deletion)}`;
    const { headers, url } = query(undefined, configuration);
    return [{ url, headers, body: statement }];
  },
  judge,
};

function query(
  text: string | undefined,
  { url, database, user, password }: ClickHouseConfiguration,
): Pick<OutgoingRequest, "url" | "headers"> {
  const address = new URL(url);
  address.searchParams.set("database", database);
  if (text !== undefined) address.searchParams.set("query", text);
  return {
    url: address.href,
    headers: {
      "Content-Type": "text/plain",
      ...(user === undefined ? {} : { "X-ClickHouse-User": user }),
      ...(password === undefined ? {} : { "X-ClickHouse-Key": password }),
    },
  };
}

/** Old servers have no maps, so the histogram is two arrays: the buckets, and their counts. */
function toColumns({ function: name, sumUs, minMs, maxMs, histogram, ...row }: Row) {
  const buckets = Object.entries(JSON.parse(histogram) as Record<string, number>);
  return {
    ...row,
    function: name,
    sum_us: sumUs,
    min_ms: minMs,
    max_ms: maxMs,
    buckets: buckets.map(([bucket]) => Number(bucket)),
    counts: buckets.map(([, count]) => count),
  };
}

function conditionOf({ selector, time, below }: Deletion): string {
  return [
    `version < ${below}`,
    ...(selector ? Object.entries(selector) : [])
      .filter(([, value]) => value !== undefined)
      .map(([column, value]) => `${column} = ${quote(String(value))}`),
    ...(time ? [`start >= toDateTime(${time.from})`, `start < toDateTime(${time.to})`] : []),
  ].join(" AND ");
}

function quote(text: string): string {
  return `'${text.replaceAll(/['\\]/g, "\\$&")}'`;
}

/** https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp: what cannot be parsed or does not fit. */
const BAD_VALUES = [6, 26, 27, 32, 33, 38, 41, 53, 69, 70, 72, 117, 130, 131, 321, 349];
/** No such column, table or database; not allowed; unknown user; wrong password. */
const MISCONFIGURED = [10, 16, 36, 47, 60, 62, 81, 115, 164, 192, 193, 194, 497, 516];

/** The HTTP status says little: an unreadable value is answered with 400 or with 500. The code in the text says it. */
function judge({ status, text }: Answer): Verdict {
  if (status === 200) return { result: "done" };
  const reason = `${status}: ${text.trim().slice(0, 300)}`;
  const code = Number(/Code: (\d+)/.exec(text)?.[1]);
  if (BAD_VALUES.includes(code)) return { result: "split", reason };
  const isRefused = Number.isNaN(code) && status >= 300 && status < 500 && status !== 408 && status !== 429;
  return MISCONFIGURED.includes(code) || isRefused
    ? { result: "misconfigured", reason }
    : { result: "retry", reason };
}
