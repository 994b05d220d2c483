/**
 * `npm run bench:ingest`: measures how many calls per second the collector acknowledges durably, beside peers that run
 * in turn with it, how soon a call is visible, and what a million calls cost. Exit code 1 if a promise is broken.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { measureBill } from "./bill.ts";
import { bundle, cpuSeconds, serve } from "./collector.ts";
import type { Loaded } from "./load.ts";
import { measureOriginal, startVictoriaMetrics } from "./peers.ts";
import { callsOf, type Form, type Load } from "./samples.ts";

const SECONDS = Number(process.env["SECONDS"] ?? 2);
const ROUNDS = Number(process.env["ROUNDS"] ?? 5);
/** Samples per POST. */
const SIZES = [1, 100, 1_000];
/** How many POSTs are in progress at once. */
const CONNECTIONS = 64;

interface Rate {
  perSecond: number;
  perCpuSecond: number;
}

const folder = await mkdtemp(join(tmpdir(), "metrics-collector-bench-"));
try {
  await bundle(folder);
  const kept = [...(await compareRates()), ...(await compareBills())];
  await showFreshness();
  if (kept.includes(false)) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function compareRates(): Promise<boolean[]> {
  await using collector = await serve(folder, "rates");
  await using victoria = await startVictoriaMetrics(folder);
  const rates = new Map<string, Rate[]>();
  const targets: { name: string; pid: number; url: string; form: Form; perPost: number }[] = [
    ...SIZES.flatMap((perPost) => [
      {
        name: `MetricsCollector, POSTs of ${perPost}`,
        ...collector,
        url: `${collector.url}/samples`,
        form: "samples" as const,
        perPost,
      },
      {
        name: `bare Worker, POSTs of ${perPost}`,
        ...collector,
        url: `${collector.url}/bare`,
        form: "samples" as const,
        perPost,
      },
      {
        name: `bare Worker that stores, POSTs of ${perPost}`,
        ...collector,
        url: `${collector.url}/stored`,
        form: "samples" as const,
        perPost,
      },
    ]),
    {
      name: "MetricsCollector, POSTs of 20 sums of 1,000 calls",
      ...collector,
      url: `${collector.url}/samples`,
      form: "sums",
      perPost: 20,
    },
    // VictoriaMetrics comes last, since it keeps working after it has answered.
    ...(victoria
      ? SIZES.map((perPost) => ({
          name: `VictoriaMetrics, POSTs of ${perPost}`,
          ...victoria,
          form: "import" as const,
          perPost,
        }))
      : []),
  ];
  const originals: number[] = [];
  // One round is not counted, since the runtime needs seconds to compile the code.
  for (let round = -1; round < ROUNDS; round++) {
    for (const { name, pid, url, form, perPost } of targets) {
      const rate = await measure({ url, form, perPost, seconds: SECONDS, connections: CONNECTIONS }, pid);
      if (round >= 0) rates.set(name, [...(rates.get(name) ?? []), rate]);
    }
    if (round < 0) continue;
    const original = await measureOriginal(folder, SECONDS);
    if (original !== undefined) originals.push(original);
  }

  console.log(`\nAcknowledged calls. Median of ${ROUNDS} rounds of ${SECONDS} s; targets take turns.\n`);
  console.log(`${"".padEnd(52)}${"per second".padStart(14)}${"per CPU second".padStart(16)}`);
  for (const [name, each] of rates) {
    console.log(
      `${name.padEnd(52)}${whole(median(each.map((rate) => rate.perSecond)))}  ${whole(median(each.map((rate) => rate.perCpuSecond)))}`,
    );
  }
  if (!victoria)
    console.log(
      "VictoriaMetrics: not measured, because it is not installed (apt-get install victoria-metrics).",
    );
  const original = "Redis list, then a row in SQLite";
  if (originals.length > 0) console.log(`${original.padEnd(52)}${whole(median(originals))}`);
  else console.log(`${original}: not measured, because redis-server or python3 is not installed.`);

  const ratio = (perPost: number, peer: string, value: keyof Rate) =>
    median(
      rates
        .get(`MetricsCollector, POSTs of ${perPost}`)!
        .map((rate, round) => rate[value] / rates.get(`${peer}, POSTs of ${perPost}`)![round]![value]),
    );
  console.log("\nRatio of two measurements of the same round. Median.\n");
  for (const perPost of SIZES) {
    for (const peer of ["bare Worker", "bare Worker that stores", ...(victoria ? ["VictoriaMetrics"] : [])]) {
      console.log(
        `POSTs of ${perPost}: MetricsCollector / ${peer}`.padEnd(52) +
          ratio(perPost, peer, "perSecond").toFixed(2).padStart(14) +
          ratio(perPost, peer, "perCpuSecond").toFixed(2).padStart(14),
      );
    }
  }
  console.log();
  return [
    promise("POSTs of 1,000: rate / bare Worker", ratio(1_000, "bare Worker", "perSecond"), "at least", 0.5),
  ];
}

async function measure(load: Load, pid: number): Promise<Rate> {
  const before = await cpuSeconds(pid);
  const process_ = fork(join(import.meta.dirname, "load.ts"), [JSON.stringify(load)]);
  const [{ posts, refused, seconds }] = (await once(process_, "message")) as [Loaded];
  if (refused > posts / 10)
    console.log(`${load.url}, POSTs of ${load.perPost}: ${refused} of ${posts + refused} got an error.`);
  const cpu = (await cpuSeconds(pid)) - before;
  const calls = posts * callsOf(load);
  return { perSecond: calls / seconds, perCpuSecond: calls / cpu };
}

async function compareBills(): Promise<boolean[]> {
  const bills = [];
  for (const callsPerSecond of [1, 100, 10_000]) bills.push(await measureBill(folder, callsPerSecond));
  console.log(
    "\nPer million calls of 20 functions in 10 processes that report every 30 s, including retention.\n",
  );
  const columns = [
    "calls/s",
    "requests",
    "object requests",
    "object rows",
    "D1 rows",
    "queue operations",
    "dollars",
  ];
  console.log(columns.map((column) => column.padStart(17)).join(""));
  for (const { callsPerSecond, counts, dollars } of bills) {
    const { requests, objectRequests, objectRows, databaseRows, queueOperations } = counts;
    const numbers = [callsPerSecond, requests, objectRequests, objectRows, databaseRows, queueOperations];
    const cells = [
      ...numbers.map((number) => Number(number.toFixed(1)).toLocaleString("en")),
      dollars.toFixed(5),
    ];
    console.log(cells.map((cell) => cell.padStart(17)).join(""));
  }
  console.log();
  return [
    promise("dollars per million calls at 100 calls/s", bills[1]!.dollars, "at most", 0.03),
    promise("dollars per million calls at 10,000 calls/s", bills[2]!.dollars, "at most", 0.002),
  ];
}

async function showFreshness(): Promise<void> {
  await using collector = await serve(folder, "freshness");
  const times: number[] = [];
  for (let calls = 1; calls <= 300; calls++) {
    await fetch(`${collector.url}/samples`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: '{"service":"bench","samples":[{"function":"fresh","durationMs":1}]}',
    });
    const acknowledged = performance.now();
    while ((await shownCalls(collector.url)) < calls);
    times.push(performance.now() - acknowledged);
  }
  times.sort((a, b) => a - b);
  const at = (quantile: number) => times[Math.floor(quantile * (times.length - 1))]!.toFixed(1);
  console.log(
    `\nTime from acknowledgement until GET /metrics shows the call: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms.`,
  );
}

async function shownCalls(url: string): Promise<number> {
  const { functions } = await (await fetch(`${url}/metrics`)).json<{ functions: { calls: number }[] }>();
  return functions[0]?.calls ?? 0;
}

function promise(what: string, value: number, kind: "at least" | "at most", bound: number): boolean {
  const kept = kind === "at least" ? value >= bound : value <= bound;
  console.log(`${kept ? "kept  " : "BROKEN"} ${what}: ${Number(value.toPrecision(3))}, ${kind} ${bound}`);
  return kept;
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
}

function whole(number: number): string {
  return Math.round(number).toLocaleString("en").padStart(14);
}
