/**
 * InfluxDB's line protocol over HTTP: InfluxDB 1 and 2, and what speaks as they do, such as QuestDB.
 *
 * Such a store has no versions: of two points with the same tags and time, the one that arrives last stays. The sender has one
 * request under way at a time and always sends the latest state, so that is the right one.
 */
import * as z from "zod";
import { gzip } from "../gzip.ts";
import { type Deletion, judgeStatus, type OutgoingRequest, type Row, type Sink } from "../sink.ts";

const name = z.string().min(1).max(200);
const InfluxDbConfiguration = z.strictObject({
  type: z.literal("influxdb"),
  url: z.url({ error: "an address such as https://influxdb.example:8086" }).max(2_000),
  measurement: z
    .string()
    .regex(/^[A-Za-z_]\w{0,127}$/, { error: "a name of letters, digits and _" })
    .default("function_minutes"),
  database: name.optional().meta({ description: "For InfluxDB 1 and QuestDB." }),
  org: name.optional().meta({ description: "For InfluxDB 2, with `bucket`." }),
  bucket: name.optional(),
  token: z.string().min(1).max(1_000).optional().meta({ description: "Of InfluxDB 2, or `user:password`." }),
});
type InfluxDbConfiguration = z.infer<typeof InfluxDbConfiguration>;

export const influxdb: Sink<InfluxDbConfiguration> = {
  name: "influxdb",
  configuration: InfluxDbConfiguration,
  secrets: ["token"],
  addressOf: ({ url }) => url,
  async encode(rows, configuration) {
    const body = await gzip(rows.map((row) => `${lineOf(row, configuration)}\n`).join(""));
    const { bucket, org, database } = configuration;
    const isSecond = bucket !== undefined;
    return {
      url: addressOf(configuration, isSecond ? "/api/v2/write" : "/write", {
        precision: "s",
        ...(isSecond ? { bucket, org: org ?? "" } : { db: database ?? "metrics" }),
      }),
      headers: { ...headersOf(configuration), "Content-Type": "text/plain", "Content-Encoding": "gzip" },
      body,
    };
  },
  encodeDeletion: (deletion, configuration) => [
    configuration.bucket === undefined
      ? deleteByQuery(deletion, configuration)
      : deleteByApi(deletion, configuration),
  ],
  judge: judgeStatus,
};

/** Points without `part` have no such tag, because a tag must not be empty. Minimum and maximum may be missing as well. */
function lineOf(row: Row, { measurement }: InfluxDbConfiguration): string {
  const tags = {
    service: row.service,
    module: row.module,
    function: row.function,
    seconds: String(row.seconds),
    part: row.part,
  };
  const fields = [
    ...(["calls", "errors", "unmeasured"] as const).map((field) => `${field}=${row[field]}i`),
    `sum_us=${row.sumUs}i`,
    ...(row.minMs === null ? [] : [`min_ms=${row.minMs}`]),
    ...(row.maxMs === null ? [] : [`max_ms=${row.maxMs}`]),
    `histogram=${quoted(row.histogram, '"')}`,
    `version=${row.version}i`,
  ];
  const tagged = Object.entries(tags)
    .filter(([, value]) => value !== "")
    .map(([tag, value]) => `,${tag}=${value.replaceAll(/[,= ]/g, String.raw`\$&`)}`);
  return `${measurement}${tagged.join("")} ${fields.join(",")} ${row.start}`;
}

function addressOf({ url }: InfluxDbConfiguration, path: string, parameters: Record<string, string>): string {
  const address = new URL(url);
  address.pathname = `${address.pathname.replace(/\/$/, "")}${path}`;
  for (const [parameter, value] of Object.entries(parameters)) address.searchParams.set(parameter, value);
  return address.href;
}

function headersOf({ token }: InfluxDbConfiguration): Record<string, string> {
  return token === undefined ? {} : { Authorization: `Token ${token}` };
}

/** InfluxDB 1. */
function deleteByQuery({ selector, time }: Deletion, configuration: InfluxDbConfiguration): OutgoingRequest {
  const conditions = [
    ...selected(selector).map(([tag, value]) => `"${tag}" = ${quoted(value, "'")}`),
    ...(time ? [`time >= ${time.from}s`, `time < ${time.to}s`] : []),
  ];
  const query = `DELETE FROM "${configuration.measurement}" WHERE ${conditions.join(" AND ")}`;
  return {
    url: addressOf(configuration, "/query", { db: configuration.database ?? "metrics", q: query }),
    headers: headersOf(configuration),
    body: "",
  };
}

/** InfluxDB 2. A deletion without a time takes all of it. */
function deleteByApi({ selector, time }: Deletion, configuration: InfluxDbConfiguration): OutgoingRequest {
  const conditions = [
    `_measurement=${quoted(configuration.measurement, '"')}`,
    ...selected(selector).map(([tag, value]) => `${tag}=${quoted(value, '"')}`),
  ];
  const iso = (epochSeconds: number) => new Date(epochSeconds * 1000).toISOString();
  return {
    url: addressOf(configuration, "/api/v2/delete", {
      bucket: configuration.bucket!,
      org: configuration.org ?? "",
    }),
    headers: { ...headersOf(configuration), "Content-Type": "application/json" },
    body: JSON.stringify({
      start: iso(time?.from ?? 0),
      // The end is included.
      stop: iso(time ? time.to - 1 : 4_102_444_800),
      predicate: conditions.join(" AND "),
    }),
  };
}

function selected(selector: Deletion["selector"]): [string, string][] {
  return Object.entries(selector ?? {}).filter((entry): entry is [string, string] => entry[1] !== undefined);
}

function quoted(text: string, mark: '"' | "'"): string {
  return `${mark}${text.replaceAll("\\", "\\\\").replaceAll(mark, `\\${mark}`)}${mark}`;
}
