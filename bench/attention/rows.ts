/**
 * `node bench/attention/rows.ts`: the rows that D1 reads for `GET /attention`, with 20 functions that are called every
 * minute, and with 1,000 of which 50 are. All of them fail now and then, so the past of each is read: the dearest case.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { bundle, serve } from "../../scripts/runtime.ts";
import { seed } from "../read/seed.ts";

const SIZES = [
  { functions: 20, busy: 20 },
  { functions: 1_000, busy: 50 },
];
const FLUSHES = 3;

const folder = await mkdtemp(join(tmpdir(), "metrics-collector-attention-"));
try {
  const script = await bundle(join(import.meta.dirname, "worker.ts"), folder);
  for (const size of SIZES) await measure(script, size);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measure(script: string, { functions, busy }: (typeof SIZES)[number]): Promise<void> {
  const stateFolder = join(folder, `state-${functions}`);
  await using runtime = await serve({ script, stateFolder, vars: { MAX_WAITING_TIME: "1" } });
  await seed(runtime.db, { functions, busy, days: 90, callsPerMinute: 20 });
  const read = async () => {
    const before = performance.now();
    const response = await fetch(`${runtime.url}/attention`);
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    const ms = performance.now() - before;
    return {
      rows: Number(response.headers.get("Rows-Read")),
      ms: Math.round(ms),
      kB: Math.round(text.length / 1000),
    };
  };
  console.log(`\n${functions} functions, ${busy} of them called every minute:`);
  console.log("the first isolate      ", await read());
  console.log("the same, again        ", await read());
  await fetch(`${runtime.url}/forget`);
  console.log("a new isolate          ", await read());
  for (let i = 0; i < FLUSHES; i++) {
    await send(runtime.url, busy);
    console.log("with calls in the buffer", await read());
    await flushed(runtime.url);
    console.log("after their flush      ", await read());
  }
}

/** A call of each busy function, named as the seed names them. */
async function send(url: string, busy: number): Promise<void> {
  const byService = Map.groupBy(
    Array.from({ length: busy }, (_, i) => i + 1),
    (n) => `service${n % 10}`,
  );
  for (const [service, numbers] of byService) {
    const samples = numbers.map((n) => ({
      module: `app/module${n % 40}`,
      function: `function${n}`,
      durationMs: 20,
    }));
    const response = await fetch(`${url}/samples`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ service, samples }),
    });
    if (response.status !== 202) throw new Error(await response.text());
  }
}

async function flushed(url: string): Promise<void> {
  for (let i = 0; i < 120; i++) {
    await sleep(500);
    const health = (await (await fetch(`${url}/health`)).json()) as Record<string, number>;
    if (i === 119) console.log(health);
    if (health["bufferedSamples"] === 0 && health["unconfirmedFlushes"] === 0) return;
  }
  throw new Error("The buffer did not flush within a minute.");
}
