/** A real InfluxDB 1 has what `GET /metrics` shows, whatever dies. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { freePort } from "../../../scripts/server.ts";
import { needsProgram } from "../../process/needs-program.ts";
import { runShop, type Store, type StoredMinute } from "./shop.ts";

const influxdb: Store = {
  name: "influxdb",
  async start(folder, port) {
    await mkdir(folder, { recursive: true });
    const config = join(folder, "config.toml");
    await writeFile(
      config,
      `reporting-disabled = true
      bind-address = "127.0.0.1:${await freePort()}"
      [meta]
      dir = "${folder}/meta"
      [data]
      dir = "${folder}/data"
      wal-dir = "${folder}/wal"
      [http]
      bind-address = "127.0.0.1:${port}"
      log-enabled = false
      [monitor]
      store-enabled = false`,
    );
    return { program: "influxd", args: ["run", "-config", config] };
  },
  async ready(url) {
    const response = await fetch(`${url}/ping`);
    if (response.status !== 204) throw new Error(String(response.status));
  },
  prepare: async (url) => void (await query(url, "CREATE DATABASE metrics")),
  sink: (url) => ({ type: "influxdb", url, database: "metrics" }),
  async read(url) {
    const series = await query(url, `SELECT * FROM "function_minutes"`);
    return series.map((row): StoredMinute => ({
      service: String(row["service"]),
      module: (row["module"] as string | null) ?? "",
      function: String(row["function"]),
      start: Number(row["time"]),
      calls: Number(row["calls"]),
      errors: Number(row["errors"]),
      unmeasured: Number(row["unmeasured"]),
      sumUs: Number(row["sum_us"]),
      minMs: row["min_ms"] as number | null,
      maxMs: row["max_ms"] as number | null,
    }));
  },
};

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const address = `${url}/query?db=metrics&epoch=s&q=${encodeURIComponent(text)}`;
  const response = await fetch(address, { method: "POST" });
  const { results } = (await response.json()) as {
    results: { series?: { columns: string[]; values: unknown[][] }[]; error?: string }[];
  };
  if (results[0]?.error !== undefined) throw new Error(results[0].error);
  return (results[0]?.series ?? []).flatMap(({ columns, values }) =>
    values.map((value) => Object.fromEntries(columns.map((column, i) => [column, value[i]]))),
  );
}

it("InfluxDB has each minute as GET /metrics shows it, whatever dies", async (context) => {
  await needsProgram(context, "influxd", "apt-get install influxdb");
  expect(await runShop(influxdb)).toBeGreaterThan(4);
});
