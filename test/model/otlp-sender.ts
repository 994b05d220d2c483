/**
 * A process that sends by OTLP: spans, or metrics that count since it began. It repeats the same bytes until it is answered, and
 * makes no new request before.
 */
import type { Batch } from "./batch.ts";
import type { Part } from "./counts.ts";
import type { Call } from "./step.ts";

/** The buffer knows a stream for 72 hours after its last point. */
const KNOWN_MS = 70 * 3_600_000;
/** The first point of a stream counts if its process began to count within 48 hours. Older ones may have been counted before. */
const NEW_STREAMS_MS = 47 * 3_600_000;
const SECOND_MS = 1_000;

type OwnCall = Omit<Call, "service">;

interface Counted {
  ok: number;
  failed: number;
  /** Calls by duration in milliseconds. */
  durations: Map<number, number>;
}

export class OtlpSender {
  readonly #service: string;
  /** When the process began to count, in epoch nanoseconds. Empty before it does. */
  #start = "";
  #startedMs = 0;
  #lastMs = 0;
  /** When it last sent metrics. */
  #lastCounted = 0;
  /** Requests since the clock last moved. Each gets a time of its own. */
  #sequence = 0;
  #counted = new Map<string, Counted>();

  constructor(service: string) {
    this.#service = service;
  }

  /** Forgets what it counted, as a process that starts again. */
  restart(): void {
    this.#counted = new Map();
    this.#start = "";
  }

  isAheadOf(now: number): boolean {
    return this.#lastMs > now;
  }

  /** A request with one span for each call. */
  spans(calls: readonly OwnCall[], now: number): Batch {
    this.#tick(now);
    const at = this.#lastMs;
    const spans = calls.flatMap(({ function: name, ms, error, times }) =>
      Array.from({ length: times }, () => ({
        name,
        kind: 2,
        startTimeUnixNano: nanoseconds(at, -ms),
        endTimeUnixNano: nanoseconds(at),
        // Makes each request another one.
        spanId: String(this.#sequence).padStart(16, "0"),
        ...(error && { status: { code: 2, message: "m" }, attributes: [text("error.type", error)] }),
      })),
    );
    const body = JSON.stringify({
      resourceSpans: [{ resource: this.#resource(), scopeSpans: [{ spans }] }],
    });
    return this.#request("/v1/traces", body, now, calls, at, true);
  }

  /** A request with all that the process has counted so far, in which the calls are new. */
  cumulative(calls: readonly OwnCall[], now: number): Batch {
    this.#tick(now);
    const hasNewStream = calls.some((call) => !this.#counted.has(call.function));
    const isOld = now - this.#startedMs > NEW_STREAMS_MS;
    if (now - this.#lastCounted > KNOWN_MS || (hasNewStream && isOld)) this.restart();
    if (this.#start === "") {
      this.#start = this.#time(-SECOND_MS);
      this.#startedMs = now;
    }
    this.#lastCounted = now;
    for (const call of calls) this.#count(call);
    const metrics = [...this.#counted].flatMap(([name, counted]) => this.#metricsOf(name, counted));
    const body = JSON.stringify({
      resourceMetrics: [{ resource: this.#resource(), scopeMetrics: [{ metrics }] }],
    });
    return this.#request("/v1/metrics", body, now, calls, this.#lastMs, false);
  }

  #tick(now: number): void {
    if (now > this.#lastMs) this.#sequence = 0;
    this.#lastMs = Math.max(this.#lastMs, now);
    this.#sequence++;
  }

  #count({ function: name, ms, error, times }: OwnCall): void {
    const counted = this.#counted.get(name) ?? { ok: 0, failed: 0, durations: new Map<number, number>() };
    this.#counted.set(name, counted);
    if (error) counted.failed += times;
    else counted.ok += times;
    counted.durations.set(ms, (counted.durations.get(ms) ?? 0) + times);
  }

  #metricsOf(name: string, { ok, failed, durations }: Counted): object[] {
    const of = { startTimeUnixNano: this.#start, timeUnixNano: this.#time() };
    const point = (result: string, value: number) => ({
      ...of,
      asInt: String(value),
      attributes: [text("function", name), text("result", result)],
    });
    const measured = [...durations].filter(([ms]) => ms > 0);
    const buckets = measured.map(([ms, times]) => [bucketOf(ms), times] as const);
    const offset = Math.min(0, ...buckets.map(([bucket]) => bucket));
    const bucketCounts: number[] = [];
    for (const [bucket, times] of buckets) {
      while (bucketCounts.length <= bucket - offset) bucketCounts.push(0);
      bucketCounts[bucket - offset]! += times;
    }
    const histogram = {
      ...of,
      attributes: [text("function", name)],
      count: ok + failed,
      sum: measured.reduce((sum, [ms, times]) => sum + ms * times, 0),
      scale: 5,
      zeroCount: durations.get(0) ?? 0,
      positive: { offset, bucketCounts },
    };
    const sum = {
      aggregationTemporality: 2,
      isMonotonic: true,
      dataPoints: [point("ok", ok), point("error", failed)],
    };
    const exponentialHistogram = { aggregationTemporality: 2, dataPoints: [histogram] };
    return [
      { name: "function.calls.duration", unit: "ms", exponentialHistogram },
      { name: "function.calls", sum },
    ];
  }

  #time(plusMs = 0): string {
    return `${this.#lastMs + plusMs}${String(this.#sequence).padStart(3, "0")}000`;
  }

  #resource(): object {
    return { attributes: [text("service.name", this.#service)] };
  }

  #request(
    path: string,
    body: string,
    now: number,
    calls: readonly OwnCall[],
    at: number,
    areSpans: boolean,
  ): Batch {
    return {
      service: this.#service,
      key: undefined,
      samples: [],
      clockErrorMs: 0,
      rejectedAt: () => [],
      otlp: { path, body },
      sentAt: now,
      partsAt: (time) => calls.map((call) => partOf(this.#service, call, Math.min(at, time), areSpans)),
    };
  }
}

/** @param areSpans a span tells the duration itself and its error, a histogram only the bucket */
function partOf(
  service: string,
  { function: name, ms, error, times }: OwnCall,
  at: number,
  areSpans: boolean,
): Part {
  const isMeasured = ms > 0;
  const bucket = isMeasured ? bucketOf(ms) : 0;
  const bound = (index: number) => Math.round(2 ** (index / 32) * 1e6) / 1e6;
  return {
    function: `${service}/${name}`,
    minute: Math.floor(at / 60_000) * 60,
    calls: times,
    errors: error ? times : 0,
    unmeasured: isMeasured ? 0 : times,
    sumUs: Math.round(ms * 1000) * times,
    minMs: isMeasured ? (areSpans ? ms : bound(bucket)) : null,
    maxMs: isMeasured ? (areSpans ? ms : bound(bucket + 1)) : null,
    histogram: isMeasured ? { [bucket]: times } : {},
    failures: error && areSpans ? { [error]: times } : {},
  };
}

/** The index i with ms in (2^(i/32), 2^((i+1)/32)]. */
function bucketOf(ms: number): number {
  let i = 0;
  while (2 ** (i / 32) >= ms) i--;
  while (2 ** ((i + 1) / 32) < ms) i++;
  return i;
}

function text(key: string, value: string): object {
  return { key, value: { stringValue: value } };
}

/** Durations have at most whole microseconds. */
function nanoseconds(ms: number, plusMs = 0): string {
  return String(BigInt(ms) * 1_000_000n + BigInt(Math.round(plusMs * 1_000)) * 1_000n);
}
