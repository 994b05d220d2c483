/**
 * `npm run bench:otlp`: measures the processor time and the billed rows of OTLP requests, beside a Worker that only parses the
 * same bodies. Exit code 1 if a promise is broken.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Random } from "../../scripts/random.ts";
import { bundle, type Collector, cpuSeconds, serve } from "../ingest/collector.ts";
import type { Counts } from "../ingest/worker.ts";
import { metricsJson, tracesJson, tracesProtobuf } from "./bodies.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 5);
/** Items that one round sends for each target, so that the clock of the system, which moves every 10 ms, is fine enough. */
const ITEMS_PER_ROUND = 100_000;

interface Target {
  name: string;
  path: string;
  type: string;
  /** Spans or series in one request. */
  items: number;
  body: (random: Random, items: number) => Buffer;
}

const JSON_TYPE = "application/json";
const PROTOBUF_TYPE = "application/x-protobuf";
const targets: Target[] = [
  ...[1_000, 20_000].flatMap((items): Target[] => [
    { name: `${items} spans, JSON`, path: "/v1/traces", type: JSON_TYPE, items, body: tracesJson },
    {
      name: `${items} spans, protobuf`,
      path: "/v1/traces",
      type: PROTOBUF_TYPE,
      items,
      body: tracesProtobuf,
    },
    { name: `${items} spans, JSON, bare Worker`, path: "/bare", type: JSON_TYPE, items, body: tracesJson },
  ]),
  { name: "100 series, JSON", path: "/v1/metrics", type: JSON_TYPE, items: 100, body: metricsJson },
];

const random = new Random(1);
const folder = await mkdtemp(join(tmpdir(), "metrics-collector-bench-"));
try {
  await bundle(folder);
  const kept = [...(await compareCpu()), ...(await countRows())];
  if (kept.includes(false)) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function compareCpu(): Promise<boolean[]> {
  await using collector = await serve(folder, "cpu");
  const seconds = new Map<string, number[]>();
  // One round is not counted, since the runtime needs seconds to compile the code.
  for (let round = -1; round < ROUNDS; round++) {
    for (const target of targets) {
      const each = await measure(collector, target);
      if (round >= 0) seconds.set(target.name, [...(seconds.get(target.name) ?? []), each]);
    }
  }
  console.log(`\nProcessor time of one request. Median of ${ROUNDS} rounds; targets take turns.\n`);
  console.log(
    `${"".padEnd(36)}${"bytes".padStart(12)}${"ms".padStart(10)}${"items per CPU-second".padStart(22)}`,
  );
  for (const { name, items, body } of targets) {
    const bytes = body(random, items).length;
    const each = median(seconds.get(name)!);
    console.log(
      name.padEnd(36) + whole(bytes, 12) + (each * 1000).toFixed(1).padStart(10) + whole(items / each, 22),
    );
  }
  console.log();
  const ratio = (a: string, b: string) => {
    const [ofA, ofB] = [seconds.get(a)!, seconds.get(b)!];
    return median(ofB.map((each, round) => each / ofA[round]!));
  };
  return [
    promise("20,000 spans, JSON, seconds", median(seconds.get("20000 spans, JSON")!), "at most", 1),
    promise("20,000 spans, protobuf, seconds", median(seconds.get("20000 spans, protobuf")!), "at most", 1),
    promise(
      "JSON: speed / bare Worker",
      ratio("1000 spans, JSON", "1000 spans, JSON, bare Worker"),
      "at least",
      0.4,
    ),
    promise("protobuf: speed / JSON", ratio("1000 spans, protobuf", "1000 spans, JSON"), "at least", 1),
  ];
}

/** Seconds of processor time for one request. */
async function measure({ url, pid }: Collector, { path, type, items, body }: Target): Promise<number> {
  const requests = Math.max(5, Math.ceil(ITEMS_PER_ROUND / items / (path === "/v1/metrics" ? 10 : 1)));
  const bodies = Array.from({ length: Math.min(requests, 100) }, () => body(random, items));
  const before = await cpuSeconds(pid);
  for (const each of bodies) await send(`${url}${path}`, type, each);
  return ((await cpuSeconds(pid)) - before) / bodies.length;
}

async function countRows(): Promise<boolean[]> {
  await using collector = await serve(folder, "rows", { COUNTED: "true", MAX_ITEMS: "1000000" });
  const rowsOf = async (path: string, type: string, body: Buffer) => {
    const before = await counts(collector);
    await send(`${collector.url}${path}`, type, body);
    return (await counts(collector)).objectRows - before.objectRows;
  };
  // The first requests also create tables and remember functions.
  await rowsOf("/v1/traces", JSON_TYPE, tracesJson(random, 1_000));
  await rowsOf("/v1/metrics", JSON_TYPE, metricsJson(random, 100));
  const traces = await rowsOf("/v1/traces", JSON_TYPE, tracesJson(random, 20_000));
  const metrics = await rowsOf("/v1/metrics", JSON_TYPE, metricsJson(random, 100));
  console.log("\nRows written to the buffer by one request, when its functions are known.\n");
  console.log(`${"20,000 spans of 20 functions".padEnd(36)}${whole(traces, 12)}`);
  console.log(`${"delta metrics of 100 series".padEnd(36)}${whole(metrics, 12)}\n`);
  return [
    promise("rows of 20,000 spans", traces, "at most", 3),
    promise("rows of 100 series", metrics, "at most", 3),
  ];
}

async function counts({ url }: Collector): Promise<Counts> {
  return (await fetch(`${url}/counts`)).json() as Promise<Counts>;
}

async function send(url: string, type: string, body: Buffer): Promise<void> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": type },
    body: new Uint8Array(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}: ${response.status} ${text}`);
}

function promise(what: string, value: number, kind: "at least" | "at most", bound: number): boolean {
  const kept = kind === "at least" ? value >= bound : value <= bound;
  console.log(`${kept ? "kept  " : "BROKEN"} ${what}: ${Number(value.toPrecision(3))}, ${kind} ${bound}`);
  return kept;
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
}

function whole(number: number, width: number): string {
  return Math.round(number).toLocaleString("en").padStart(width);
}
