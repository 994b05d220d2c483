/**
 * How long the event loop is held by a program with 1,000 wrapped functions, next to the same
 * program without the client. Minutes turn every two seconds, and everything is sent every second.
 */
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { setImmediate as turn } from "node:timers/promises";

const FUNCTIONS = 1_000;
const SECONDS = 20;
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
  /** The longest call of each minute. What else the machine does lengthens some of them, and sealing all of them. */
  longestCallMs: number;
}

async function measure(functions: readonly (() => number)[]): Promise<Result> {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  const longest: number[] = [];
  const endMs = performance.now() + SECONDS * 1_000;
  let minuteEndMs = performance.now() + MINUTE_MS;
  let longestMs = 0;
  for (let lastMs = performance.now(); lastMs < endMs;) {
    for (const fn of functions) {
      fn();
      const nowMs = performance.now();
      longestMs = Math.max(longestMs, nowMs - lastMs);
      lastMs = nowMs;
    }
    if (lastMs > minuteEndMs) {
      longest.push(longestMs);
      longestMs = 0;
      minuteEndMs += MINUTE_MS;
    }
    await turn();
    lastMs = performance.now();
  }
  delays.disable();
  const median = longest.sort((a, b) => a - b)[Math.floor(longest.length / 2)]!;
  return { p99Ms: delays.percentile(99) / 1e6, maxMs: delays.max / 1e6, longestCallMs: median };
}

console.log(`Node ${process.version}, ${FUNCTIONS} functions, ${SECONDS} s each`);
console.log(
  "".padEnd(10),
  "loop p99 ms".padStart(12),
  "loop max ms".padStart(12),
  "longest call of a minute, median ms".padStart(37),
);
for (const [name, functions] of [
  ["bare", bare],
  ["wrapped", wrapped],
  ["bare", bare],
  ["wrapped", wrapped],
] as const) {
  const { p99Ms, maxMs, longestCallMs } = await measure(functions);
  console.log(
    name.padEnd(10),
    p99Ms.toFixed(2).padStart(12),
    maxMs.toFixed(2).padStart(12),
    longestCallMs.toFixed(2).padStart(37),
  );
}
await metricsCollector.close();
