/**
 * `npm run bench:read`: measures what reads cost with 1,000 functions and 90 days of history, and with ten times the
 * calls. Prints the rows that D1 read and the time of each answer. Exit code 1 if a promise is broken.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle, serve } from "../../scripts/runtime.ts";
import { type History, seed } from "./seed.ts";

const RUNS = 11;
const HISTORY: History = {
  functions: Number(process.env["FUNCTIONS"] ?? 1_000),
  busy: 50,
  days: 90,
  callsPerMinute: 20,
};

interface Measured {
  rows: number;
  ms: number;
  kilobytes: number;
}

const REQUESTS = {
  bareList: "/?sql=SELECT * FROM functions",
  list: "/metrics",
  prometheus: "/metrics?format=prometheus",
  bareSeries:
    "/?sql=SELECT * FROM rollups WHERE function_id = 1 AND width = 60 AND start >= unixepoch() - 86400",
  series: "/metrics/service1/function1?from=-24h",
  series90: "/metrics/service1/function1?from=-90d",
  search: "/search?q=function99",
  hour: "/metrics?from=-1h",
  dayOfService: "/metrics?service=service1&from=-24h",
  day: "/metrics?from=-24h",
} as const;
type Request = keyof typeof REQUESTS;

const folder = await mkdtemp(join(tmpdir(), "metrics-collector-bench-"));
try {
  const script = await bundle(join(import.meta.dirname, "worker.ts"), folder);
  const once = await measure(script, HISTORY);
  const tenfold = await measure(script, { ...HISTORY, callsPerMinute: HISTORY.callsPerMinute * 10 });
  console.log(
    `\n${HISTORY.functions} functions, ${HISTORY.days} days, median of ${RUNS} runs. In brackets: with ten times the calls.`,
  );
  for (const request of Object.keys(REQUESTS) as Request[]) {
    const [a, b] = [once[request], tenfold[request]];
    console.log(
      `${REQUESTS[request].replace("/?sql=", "").slice(0, 60).padEnd(62)} ${cell(a.rows, b.rows)} rows ${cell(a.ms, b.ms)} ms ${cell(a.kilobytes, b.kilobytes)} kB`,
    );
  }
  const promises = [
    promise("GET /metrics: rows read / functions", once.list.rows / HISTORY.functions, 1.1),
    promise("GET /metrics: time / bare SELECT", once.list.ms / once.bareList.ms, 3),
    promise("24 h series: rows read / rows in range", once.series.rows / once.bareSeries.rows, 2),
    promise("GET /metrics, ten times the calls: rows read", tenfold.list.rows / once.list.rows, 1.05),
    promise(
      "GET /metrics, ten times the calls: time / bare SELECT",
      tenfold.list.ms / tenfold.bareList.ms,
      3,
    ),
    promise("24 h series, ten times the calls: rows read", tenfold.series.rows / once.series.rows, 1.05),
  ];
  if (promises.includes(false)) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measure(script: string, history: History): Promise<Record<Request, Measured>> {
  await using runtime = await serve({ script, stateFolder: join(folder, `state-${history.callsPerMinute}`) });
  const before = performance.now();
  await seed(runtime.db, history);
  const seconds = ((performance.now() - before) / 1000).toFixed(1);
  console.log(`Wrote the history with ${history.callsPerMinute} calls per minute in ${seconds} s.`);
  return await timeAll(new URL(runtime.url));
}

/** Sends the requests in turn, so that other load on the machine slows all of them alike. */
async function timeAll(base: URL): Promise<Record<Request, Measured>> {
  const all = Object.entries(REQUESTS).map(([name, path]) => ({
    name,
    url: new URL(path, base),
    times: [] as number[],
    last: { rows: 0, kilobytes: 0 },
  }));
  for (let run = -3; run < RUNS; run++) {
    for (const request of all) {
      const { ms, ...last } = await time(request.url);
      request.last = last;
      if (run >= 0) request.times.push(ms);
    }
  }
  const measured = all.map(({ name, times, last }) => {
    const median = times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
    return [name, { ...last, ms: median }];
  });
  return Object.fromEntries(measured) as Record<Request, Measured>;
}

async function time(url: URL): Promise<Measured> {
  const before = performance.now();
  const response = await fetch(url);
  const body = await response.arrayBuffer();
  const ms = performance.now() - before;
  if (!response.ok) throw new Error(`${url.href}: ${response.status} ${new TextDecoder().decode(body)}`);
  return { rows: Number(response.headers.get("Rows-Read")), ms, kilobytes: body.byteLength / 1000 };
}

function cell(a: number, b: number): string {
  const text = (value: number) => (value < 100 ? value.toFixed(1) : value.toFixed(0));
  return `${text(a).padStart(7)} ${`(${text(b)})`.padEnd(9)}`;
}

function promise(what: string, value: number, atMost: number): boolean {
  const kept = value <= atMost;
  console.log(`${kept ? "kept  " : "BROKEN"} ${what}: ${value.toFixed(2)}, at most ${atMost}`);
  return kept;
}
