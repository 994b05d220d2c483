/**
 * `node bench/client/delay.ts`: how long the event loop is held by a program with 1,000 wrapped functions, next to the same
 * program without the client. Minutes turn every two seconds, and everything is sent every second.
 */
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { setImmediate as turn } from "node:timers/promises";

const FUNCTIONS = 1_000;
const SECONDS = 12;
/** One minute passes on the wall clock in this time. Set before the client loads, which takes the clock then. */
const MINUTE_MS = 2_000;

const realNow = Date.now.bind(Date);
const startMs = realNow();
Date.now = () => startMs + (realNow() - startMs) * (60_000 / MINUTE_MS);
const { createMetricsCollector } = await import("../../client/index.ts");
const metricsCollector = createMetricsCollector({
  url: "http://collector",
  service: "bench",
  intervalMs: 1_000,
  fetcher: {
    fetch: async (_, { headers, body }: { headers: Record<string, string>; body: BodyInit }) => {
      const stream = new Response(body).body!;
      const json = headers["Content-Encoding"] ? stream.pipeThrough(new DecompressionStream("gzip")) : stream;
      const { samples } = (await new Response(json).json()) as { samples: unknown[] };
      return Response.json({ accepted: samples.length, rejected: 0, reasons: [] });
    },
  },
});

const bare = Array.from({ length: FUNCTIONS }, (_, n) => () => n);
const wrapped = bare.map((fn, n) => metricsCollector(`function${n}`, fn));

interface Result {
  p99Ms: number;
  maxMs: number;
  /** The longest that one call took, in time of this thread's processor: what else the machine does is not in it. */
  callCpuMs: number;
  /** Calls that took more than a millisecond by the clock. */
  slowCalls: number;
}

function cpuNow(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

async function measure(functions: readonly (() => number)[]): Promise<Result> {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  let callCpuMs = 0;
  let slowCalls = 0;
  const endMs = performance.now() + SECONDS * 1_000;
  let lastMs = performance.now();
  let lastCpuMs = cpuNow();
  while (lastMs < endMs) {
    for (const fn of functions) {
      fn();
      const cpuMs = cpuNow();
      const nowMs = performance.now();
      callCpuMs = Math.max(callCpuMs, cpuMs - lastCpuMs);
      if (nowMs - lastMs > 1) slowCalls++;
      lastMs = nowMs;
      lastCpuMs = cpuMs;
    }
    await turn();
    lastMs = performance.now();
    lastCpuMs = cpuNow();
  }
  delays.disable();
  return { p99Ms: delays.percentile(99) / 1e6, maxMs: delays.max / 1e6, callCpuMs, slowCalls };
}

console.log(`Node ${process.version}, ${FUNCTIONS} functions, ${SECONDS} s each`);
console.log(
  "".padEnd(10),
  "loop p99 ms".padStart(12),
  "loop max ms".padStart(12),
  "longest call, CPU ms".padStart(22),
  "calls > 1 ms".padStart(14),
);
for (const [name, functions] of [
  ["bare", bare],
  ["wrapped", wrapped],
  ["bare", bare],
  ["wrapped", wrapped],
] as const) {
  const { p99Ms, maxMs, callCpuMs, slowCalls } = await measure(functions);
  const cells = [
    p99Ms.toFixed(2).padStart(12),
    maxMs.toFixed(2).padStart(12),
    callCpuMs.toFixed(2).padStart(22),
  ];
  cells.push(String(slowCalls).padStart(14));
  console.log(name.padEnd(10), ...cells);
}
await metricsCollector.close();
