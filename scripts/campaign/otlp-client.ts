/**
 * One OTLP process of the campaign, as an SDK would be: it sends spans, or metrics that count since it began, and repeats the
 * same bytes until they are taken. It reports exactly which calls it made, like the other clients.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "../random.ts";
import type { ClientOptions, ClientReport } from "./client.ts";
import { addTally, type Tallies, type Tally } from "./tally.ts";

interface Call {
  name: string;
  durationMs: number;
  isError: boolean;
}

/** What one function did since the process began. */
interface Count {
  ok: number;
  failed: number;
  unmeasured: number;
  sumMs: number;
  buckets: Map<number, number>;
}

const RETRY_MS = 50;
const TIMEOUT_MS = 2_000;
/** Lowest bucket of the durations that the process makes: an eighth of a millisecond. */
const LOWEST_BUCKET = -97;

const options = JSON.parse(process.argv[2]!) as ClientOptions;
const { service } = options;
const random = new Random(options.seed);
const sendsSpans = options.kind === "spans";
const startedAt = Date.now() - 1_000;
const called: Tallies = {};
const counts = new Map<string, Count>();
let acknowledged = 0;
let pending = 0;
let lastTime = 0;
let spans = 0;

function randomCall(): Call {
  const durationMs = random.chance(0.05) ? 0 : (1 + random.below(2 ** (1 + random.below(14)))) / 8;
  return { name: random.pick(["add", "pay", "search"]), durationMs, isError: random.chance(0.1) };
}

function tallyOf({ durationMs, isError }: Call): Tally {
  const isMeasured = durationMs > 0;
  const bucket = bucketOf(durationMs);
  const bound = (index: number) => Math.round(2 ** (index / 32) * 1e6) / 1e6;
  return {
    calls: 1,
    errors: isError ? 1 : 0,
    unmeasured: isMeasured ? 0 : 1,
    sumUs: Math.round(durationMs * 1000),
    // A cumulative histogram does not tell the shortest and the longest of what is new.
    minMs: isMeasured ? (sendsSpans ? durationMs : bound(bucket)) : null,
    maxMs: isMeasured ? (sendsSpans ? durationMs : bound(bucket + 1)) : null,
    histogram: isMeasured ? { [bucket]: 1 } : {},
  };
}

function bucketOf(durationMs: number): number {
  return Math.ceil(Math.log2(durationMs) * 32) - 1;
}

/** The body of a request with these calls, which count at `time`. */
function bodyOf(calls: readonly Call[], time: number): string {
  const resource = {
    attributes: [text("service.name", service), text("service.instance.id", String(process.pid))],
  };
  if (sendsSpans) {
    const all = calls.map((call) => spanOf(call, time));
    return JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: all }] }] });
  }
  for (const call of calls) count(call);
  const metrics = [...counts].flatMap(([name, each]) => metricsOf(name, each, time));
  return JSON.stringify({ resourceMetrics: [{ resource, scopeMetrics: [{ metrics }] }] });
}

function spanOf({ name, durationMs, isError }: Call, time: number): object {
  return {
    name,
    kind: 1,
    spanId: String(spans++).padStart(16, "0"),
    startTimeUnixNano: String(BigInt(time) * 1_000_000n - BigInt(durationMs * 8) * 125_000n),
    endTimeUnixNano: `${time}000000`,
    status: { code: isError ? 2 : 0 },
  };
}

function count({ name, durationMs, isError }: Call): void {
  const each = counts.get(name) ?? {
    ok: 0,
    failed: 0,
    unmeasured: 0,
    sumMs: 0,
    buckets: new Map<number, number>(),
  };
  counts.set(name, each);
  if (isError) each.failed++;
  else each.ok++;
  each.sumMs += durationMs;
  if (durationMs === 0) each.unmeasured++;
  else each.buckets.set(bucketOf(durationMs), (each.buckets.get(bucketOf(durationMs)) ?? 0) + 1);
}

function metricsOf(name: string, { ok, failed, unmeasured, sumMs, buckets }: Count, time: number): object[] {
  const of = { startTimeUnixNano: `${startedAt}000000`, timeUnixNano: `${time}000000` };
  const counter = (result: string, value: number) => ({
    ...of,
    asInt: String(value),
    attributes: [text("function", name), text("result", result)],
  });
  const highest = Math.max(LOWEST_BUCKET, ...buckets.keys());
  const bucketCounts = Array.from(
    { length: highest - LOWEST_BUCKET + 1 },
    (_, i) => buckets.get(LOWEST_BUCKET + i) ?? 0,
  );
  const histogram = {
    ...of,
    attributes: [text("function", name)],
    count: ok + failed,
    sum: sumMs,
    scale: 5,
    zeroCount: unmeasured,
    positive: { offset: LOWEST_BUCKET, bucketCounts },
  };
  const dataPoints = [counter("ok", ok), counter("error", failed)];
  return [
    { name: "function.calls", sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints } },
    {
      name: "function.calls.duration",
      unit: "ms",
      exponentialHistogram: { aggregationTemporality: 2, dataPoints: [histogram] },
    },
  ];
}

function text(key: string, value: string): object {
  return { key, value: { stringValue: value } };
}

/** Sends new calls. Returns once they are taken, however often that needs to be tried. */
async function send(calls: readonly Call[]): Promise<void> {
  const time = Math.max(Date.now(), lastTime + 1);
  lastTime = time;
  // A span counts in the minute of its end, a data point in that of the time just before.
  const minute = Math.floor((sendsSpans ? time : time - 1) / 60_000) * 60;
  for (const call of calls) addTally(called, `${service} ${call.name} ${minute}`, tallyOf(call));
  pending = calls.length;
  const body = bodyOf(calls, time);
  while (!(await isTaken(body))) await sleep(RETRY_MS);
  acknowledged += calls.length;
  pending = 0;
}

async function isTaken(body: string): Promise<boolean> {
  try {
    const response = await fetch(new URL(sendsSpans ? "/v1/traces" : "/v1/metrics", options.url), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const answer = await response.text();
    if (response.ok && answer !== "{}") console.error(`${service}: ${answer}`);
    return response.ok;
  } catch {
    return false;
  }
}

function report(): ClientReport {
  return { acknowledged, pending, dropped: 0, called };
}

const stopping = new AbortController();
process.on("message", (message: { id: number; stop?: boolean }) => {
  if (message.stop) stopping.abort();
  process.send!({ id: message.id, report: report() });
});
process.on("disconnect", () => process.exit());

while (!stopping.signal.aborted) {
  await send(Array.from({ length: 1 + random.below(60) }, randomCall));
  await sleep(random.between(100, 400));
}
setInterval(() => {}, 1_000);
