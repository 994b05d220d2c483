/** Asks the Prometheus API with programs and queries of others: promtool, a federating Prometheus, Autometrics' dashboards. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { seed } from "../../scripts/seed.ts";
import { freePort, Server } from "../../scripts/server.ts";
import { needsProgram } from "../process/needs-program.ts";

const INSTALL = "apt-get install prometheus";
const MINUTE = 60;

let folder: string;
let server: Server;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "metrics-collector-promql-"));
  server = await Server.start({ stateFolder: join(folder, "state"), command: "dev" });
  await seed(server.url);
});

afterAll(async () => {
  await server?.kill();
  await rm(folder, { recursive: true, force: true });
});

interface Result {
  metric: Record<string, string>;
  value?: [number, string];
  values?: [number, string][];
}

async function ask(path: string, parameters: Record<string, string>, method = "POST"): Promise<Result[]> {
  const form = new URLSearchParams(parameters);
  const response =
    method === "POST"
      ? await fetch(`${server.url}${path}`, { method: "POST", body: form })
      : await fetch(`${server.url}${path}?${form.toString()}`);
  const { data, error } = (await response.json()) as { data?: { result?: Result[] }; error?: string };
  if (error !== undefined) throw new Error(`${JSON.stringify(parameters)}: ${error}`);
  return data?.result ?? (data as unknown as Result[]);
}

const minute = (): number => Math.floor(Date.now() / 1000 / MINUTE) * MINUTE;

describe("promtool", () => {
  const promtool = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)("promtool", args)).stdout;

  it("gets the number that the JSON API shows", async (context) => {
    await needsProgram(context, "promtool", INSTALL);
    const end = minute();
    const range = `from=${(end - 3600) * 1000}&to=${end * 1000}`;
    const { functions } = (await (await fetch(`${server.url}/metrics?${range}&limit=100`)).json()) as {
      functions: { calls: number }[];
    };
    const calls = functions.reduce((sum, row) => sum + row.calls, 0);
    expect(calls).toBeGreaterThan(1000);
    const query = "sum(increase(function_calls_total[1h]))";
    expect(await promtool("query", "instant", `--time=${end}`, server.url, query)).toContain(
      `{} => ${calls} @`,
    );
    const byApi = await ask("/api/v1/query", { query, time: String(end) });
    expect(byApi[0]!.value![1]).toBe(String(calls));
  });

  it("gets ranges, series and labels", async (context) => {
    await needsProgram(context, "promtool", INSTALL);
    const end = minute();
    const times = [`--start=${end - 600}`, `--end=${end}`];
    const rate = "sum(rate(function_calls_total[1m]))";
    const range = await promtool("query", "range", ...times, "--step=1m", server.url, rate);
    expect(range.match(/@\[/g)?.length).toBe(11);
    const series = await promtool(
      "query",
      "series",
      '--match=function_calls_total{result="error"}',
      server.url,
    );
    expect(series).toContain('function="chargeCard"');
    expect(await promtool("query", "labels", server.url, "service_name")).toContain("payments");
  });
});

describe("the queries of Autometrics' dashboards", () => {
  const lines = readFileSync(new URL("../promql/autometrics/queries.txt", import.meta.url), "utf8").split(
    "\n",
  );
  const dashboards = lines.slice(
    0,
    lines.findIndex((line) => line.startsWith("## autometrics.rules")),
  );
  const filled = dashboards
    .filter((line) => line !== "" && !line.startsWith("#") && !line.includes("objective"))
    .map((line) =>
      line
        .replaceAll("$__rate_interval", "1m")
        .replaceAll("$__range", "6h")
        .replaceAll("$num_function_limit", "10")
        .replaceAll(/\$\{?\w+\}?/g, ".+"),
    );

  it("are the eight that need no objectives", () => expect(filled).toHaveLength(8));

  /** What a line of the list finds: values of a label, or values of samples above 0. */
  async function find(line: string): Promise<unknown[]> {
    const [, selector, label] = /^label_values\((.*), (\w+)\)$/.exec(line) ?? [];
    if (label !== undefined) {
      return await ask(`/api/v1/label/${label}/values`, { "match[]": selector! }, "GET");
    }
    const query = line.replace(/^query_result\((.*)\)$/, "$1");
    const [start, end] = [minute() - 3600, minute()].map(String);
    const result = await ask("/api/v1/query_range", { query, start: start!, end: end!, step: "60" });
    return result.flatMap((one) => one.values!.filter(([, value]) => Number(value) > 0));
  }

  it.each(filled)("return data: %s", async (line) => {
    expect((await find(line)).length).toBeGreaterThan(5);
  });
});

describe("a real Prometheus", () => {
  it("federates from the collector", async (context) => {
    await needsProgram(context, "prometheus", INSTALL);
    const config = join(folder, "federate.yml");
    const job = {
      job_name: "federate",
      honor_labels: true,
      metrics_path: "/federate",
      params: { "match[]": ['{__name__=~"function_calls.*"}'] },
      static_configs: [{ targets: [new URL(server.url).host] }],
    };
    await writeFile(config, JSON.stringify({ global: { scrape_interval: "1s" }, scrape_configs: [job] }));
    const address = `127.0.0.1:${await freePort()}`;
    const storage = `--storage.tsdb.path=${join(folder, "tsdb")}`;
    const prometheus = spawn(
      "prometheus",
      [`--config.file=${config}`, storage, `--web.listen-address=${address}`],
      { stdio: "ignore" },
    );
    try {
      const totals = (await (await fetch(`${server.url}/metrics?limit=100`)).json()) as {
        functions: { calls: number }[];
      };
      const calls = totals.functions.reduce((sum, row) => sum + row.calls, 0);
      await vi.waitFor(
        async () => {
          const query = encodeURIComponent('sum(function_calls_total{job="metrics-collector"})');
          const { data } = (await (await fetch(`http://${address}/api/v1/query?query=${query}`)).json()) as {
            data: { result: Result[] };
          };
          expect(Number(data.result[0]?.value?.[1])).toBe(calls);
        },
        { timeout: 60_000, interval: 500 },
      );
    } finally {
      prometheus.kill();
      await once(prometheus, "exit");
    }
  });
});

describe("hostile queries", () => {
  const HOSTILE = [
    "sum_over_time(sum_over_time(sum_over_time(up[1d:1s])[1d:1s])[1d:1s])",
    "quantile_over_time(0.5, vector(time())[1d:10s])",
    'count_over_time({__name__=~".+"}[2d])',
    `up{job=~"(${"a*".repeat(400)})*b"}`,
  ];

  it("are refused or answered, and meanwhile samples are taken", async () => {
    const end = minute();
    const asked = Array.from({ length: 12 }, async (_, i) => {
      const body = new URLSearchParams({
        query: HOSTILE[i % HOSTILE.length]!,
        start: String(end - 60_000),
        end: String(end),
        step: "60",
      });
      return (await fetch(`${server.url}/api/v1/query_range`, { method: "POST", body })).status;
    });
    const posted = Array.from({ length: 20 }, async (_, i) => {
      const response = await fetch(`${server.url}/samples`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "Idempotency-Key": `hostile-${i}` },
        body: JSON.stringify({ service: "shop", samples: [{ function: "meanwhile", durationMs: 1 }] }),
      });
      return response.status;
    });
    expect(new Set(await Promise.all(posted))).toEqual(new Set([202]));
    for (const status of await Promise.all(asked)) expect([200, 400, 422, 503]).toContain(status);
    const query = "sum(increase(function_calls_total{function='meanwhile'}[1h]))";
    const later = String(Date.now() / 1000 + 60);
    expect((await ask("/api/v1/query", { query, time: later }))[0]!.value![1]).toBe("20");
  });

  it("of clients that have gone leave a server that answers", async () => {
    const leaving = Array.from({ length: 5 }, async () => {
      const controller = new AbortController();
      const body = new URLSearchParams({ query: HOSTILE[1]!, start: "0", end: "600000", step: "60" });
      const url = `${server.url}/api/v1/query_range`;
      const answer = fetch(url, { method: "POST", body, signal: controller.signal });
      setTimeout(() => controller.abort(), 50);
      return answer.then(
        () => "answered",
        () => "gone",
      );
    });
    await Promise.all(leaving);
    expect((await ask("/api/v1/query", { query: "vector(1)" }))[0]!.value![1]).toBe("1");
  });
});
