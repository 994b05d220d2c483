/** A real ClickHouse has what `GET /metrics` shows, whatever dies. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { needsProgram } from "../../process/needs-program.ts";
import { runShop, type Store } from "./shop.ts";

const TABLE = `CREATE TABLE minutes (
  service String, module String, function String,
  start DateTime, seconds UInt32, part String, version UInt64,
  calls UInt64, errors UInt64, unmeasured UInt64, sum_us UInt64,
  min_ms Nullable(Float64), max_ms Nullable(Float64),
  buckets Array(Int32), counts Array(UInt64)
) ENGINE = ReplacingMergeTree(version) PARTITION BY toYYYYMM(start)
ORDER BY (service, module, function, start, seconds, part)`;

const clickhouse: Store = {
  name: "clickhouse",
  async start(folder, port) {
    await mkdir(join(folder, "tmp"), { recursive: true });
    const config = join(folder, "config.xml");
    await writeFile(
      config,
      `<yandex>
        <logger><level>error</level><log>${folder}/log</log><errorlog>${folder}/errors</errorlog></logger>
        <http_port>${port}</http_port><listen_host>127.0.0.1</listen_host>
        <path>${folder}/</path><tmp_path>${folder}/tmp/</tmp_path><users_config>${folder}/users.xml</users_config>
        <default_profile>default</default_profile><default_database>default</default_database>
        <mark_cache_size>100000000</mark_cache_size>
      </yandex>`,
    );
    await writeFile(
      join(folder, "users.xml"),
      `<yandex><profiles><default/></profiles><quotas><default/></quotas><users><default>
        <password>secret</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>
      </default></users></yandex>`,
    );
    return { program: "clickhouse-server", args: [`--config-file=${config}`] };
  },
  ready: (url) => query(url, "SELECT 1"),
  prepare: async (url) => void (await query(url, TABLE)),
  sink: (url) => ({ type: "clickhouse", url, user: "default", password: "secret" }),
  read: async (url) => {
    const text = await query(
      url,
      `SELECT service, module, function, toUInt32(start) AS start, sum(calls) AS calls, sum(errors) AS errors,
        sum(unmeasured) AS unmeasured, sum(sum_us) AS sumUs, min(min_ms) AS minMs, max(max_ms) AS maxMs
      FROM minutes FINAL GROUP BY service, module, function, start FORMAT JSONEachRow`,
    );
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const row = JSON.parse(line) as Record<string, string | number | null>;
        const number = (field: string) => (row[field] === null ? null : Number(row[field]));
        return {
          ...(row as unknown as { service: string; module: string; function: string }),
          start: Number(row["start"]),
          calls: Number(row["calls"]),
          errors: Number(row["errors"]),
          unmeasured: Number(row["unmeasured"]),
          sumUs: Number(row["sumUs"]),
          minMs: number("minMs"),
          maxMs: number("maxMs"),
        };
      });
  },
};

async function query(url: string, text: string): Promise<string> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "X-ClickHouse-User": "default", "X-ClickHouse-Key": "secret" },
    body: text,
  });
  const answer = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${answer}`);
  return answer;
}

it("ClickHouse has each minute as GET /metrics shows it, whatever dies", async (context) => {
  await needsProgram(context, "clickhouse-server", "apt-get install clickhouse-server");
  expect(await runShop(clickhouse)).toBeGreaterThan(4);
});
