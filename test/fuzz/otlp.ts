/** Mutated OTLP bodies of both encodings: what the decoder makes of them must be sound, and the server must stay up. */
import { Random } from "../../scripts/random.ts";
import type { Batch } from "../../src/ingest/batch.ts";
import { otlpDecoder } from "../../src/ingest/otlp/decoder.ts";
import { PointSums } from "../../src/ingest/otlp/metrics/sum-points.ts";
import { ServiceSums } from "../../src/ingest/otlp/service-sums.ts";
import { readOtlpSettings } from "../../src/ingest/otlp/settings.ts";
import { Tally } from "../../src/ingest/otlp/tally.ts";
import { spanSummer } from "../../src/ingest/otlp/traces/sum-spans.ts";
import type { Fields } from "../../src/ingest/otlp/wire/message.ts";
import { metrics, type Point } from "../../src/ingest/otlp/wire/metric-messages.ts";
import { traces } from "../../src/ingest/otlp/wire/trace-messages.ts";
import { MAX_BUCKET, MIN_BUCKET } from "../../src/stats/histogram.ts";
import { sampleBytes, sampleNames } from "../ingest/otlp/sample.ts";
import { mutatedBytes } from "./batch.ts";

export interface OtlpRequest {
  path: "/v1/traces" | "/v1/metrics";
  headers: Record<string, string>;
  body: Uint8Array<ArrayBuffer>;
}

/** Larger bodies would take most of the time to mutate. */
const LARGEST_BYTES = 4_000;
const bodies = sampleNames()
  .filter((name) => /^(edge|traces|metrics)-.*\.(json|pb)$/.test(name) && !name.includes(".expected."))
  .map((name) => ({ name, bytes: sampleBytes(name) }))
  .filter(({ bytes }) => bytes.length > 2 && bytes.length < LARGEST_BYTES);

export function mutatedOtlp(seed: number, number: number): OtlpRequest {
  const random = new Random(Math.imul(seed, 0x85ebca6b) ^ number);
  const { name, bytes } = random.pick(bodies);
  const isBinary = name.endsWith(".pb");
  const odd = isBinary || random.chance(0.5) ? mutatedBytes(random, bytes) : mutatedNumbers(random, bytes);
  // Sometimes sent as the other encoding, or to the other route.
  const isSwapped = random.chance(0.02);
  const isMetrics = name.startsWith("metrics") !== random.chance(0.02);
  return {
    path: isMetrics ? "/v1/metrics" : "/v1/traces",
    headers: { "Content-Type": isBinary !== isSwapped ? "application/x-protobuf" : "application/json" },
    body: new Uint8Array(odd),
  };
}

/** Valid JSON in which some values are others. */
function mutatedNumbers(random: Random, bytes: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(bytes);
  const odd = ODD.map((value) => JSON.stringify(value));
  const mutated = text.replaceAll(/:("[^"]*"|-?\d[\d.]*)/g, (all) =>
    random.chance(0.05) ? `:${random.pick(odd)}` : all,
  );
  return new TextEncoder().encode(mutated);
}

/** What the decoder makes of a request. @throws {ErrorResponse} */
export async function decoded(
  { path, headers, body }: OtlpRequest,
  now: number,
): Promise<Omit<Batch, "service">[]> {
  const settings = readOtlpSettings({});
  const services = new ServiceSums(settings.ignored);
  const tally = new Tally();
  const points = new PointSums(services, tally, settings);
  const addSpan = spanSummer(services, tally, settings) as (item: Fields) => void;
  const decoder =
    path === "/v1/traces"
      ? otlpDecoder({
          name: "traces",
          message: traces,
          take: addSpan,
          parts: (source) => services.parts(source),
        })
      : otlpDecoder({
          name: "metrics",
          message: metrics,
          take: (item) => points.add(item as Point),
          parts: (source) => points.parts(source),
        });
  const { parts } = await decoder.decode(body, new Headers(headers));
  return parts.flatMap(({ sum }) => sum(now));
}

/** What is wrong with the deltas of batches. Undefined if nothing is. */
export function problemIn(batches: readonly Omit<Batch, "service">[]): string | undefined {
  for (const delta of batches.flatMap(({ deltas }) => deltas)) {
    const { calls, errors, unmeasured, sumUs, buckets, minMs, maxMs } = delta;
    const counts = buckets.filter((_, i) => i % 2 === 1);
    const isSound =
      [calls, errors, unmeasured, sumUs, delta.minute, delta.firstSeen, ...buckets].every(
        Number.isSafeInteger,
      ) &&
      errors >= 0 &&
      errors <= calls &&
      counts.every((count) => count > 0) &&
      counts.reduce((sum, count) => sum + count, 0) === calls - unmeasured &&
      buckets.every((index, i) => i % 2 === 1 || (index >= MIN_BUCKET && index <= MAX_BUCKET)) &&
      (minMs === null) === (buckets.length === 0) &&
      (minMs ?? 0) <= (maxMs ?? 0) &&
      delta.function.length >= 1;
    if (!isSound) return JSON.stringify(delta);
  }
  return undefined;
}

const ODD: readonly unknown[] = [
  0,
  -1,
  1,
  0.5,
  1e-320,
  1e308,
  2 ** 53,
  1e21,
  "0",
  "-1",
  "NaN",
  "Infinity",
  "-Infinity",
  "18446744073709551615",
  "1795449600000000000",
  "",
  "abc",
  null,
  true,
  [],
  {},
  "STATUS_CODE_ERROR",
];
