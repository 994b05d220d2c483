/**
 * Hostile input: whatever is sent, the answer is one of the known kinds, comes soon, and what was refused left no trace.
 *
 *   SEED=42 npm test -- --project stages test/fuzz      the requests of that seed again
 */
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { limits } from "../src/limits.ts";
import { readTotals } from "../src/query/totals.ts";
import { type FuzzedRequest, fuzzedRequest } from "./fuzz/generate.ts";
import { buffer, deliver, letTimePass, ringAlarm, sentMessages } from "./worker.ts";

const settings = env as unknown as { SEED: string };
const SEED = Number(settings.SEED) || Math.floor(Math.random() * 2 ** 31);
const REQUESTS = 20_000;
const AT_ONCE = 20;
const PER_ROUND = 1_000;
const ANSWERED_WITHIN_MS = 10_000;

beforeEach(() => {
  for (const method of ["log", "error"] as const) vi.spyOn(console, method).mockImplementation(() => {});
});
afterEach(() => void vi.restoreAllMocks());

interface Counted {
  calls: number;
  errors: number;
}

describe("hostile input", () => {
  it(`${REQUESTS} requests: no 5xx, no hang, and the counters are those of what was accepted`, async () => {
    const expected: Counted = { calls: 0, errors: 0 };
    const statuses: Record<number, number> = {};
    for (let first = 0; first < REQUESTS; first += AT_ONCE) {
      const numbers = Array.from({ length: AT_ONCE }, (_, i) => first + i);
      const outcomes = await withinTime(Promise.all(numbers.map(sendFuzzed)), first);
      for (const { status, accepted } of outcomes) {
        statuses[status] = (statuses[status] ?? 0) + 1;
        expected.calls += accepted.calls;
        expected.errors += accepted.errors;
      }
      if ((first + AT_ONCE) % PER_ROUND === 0) await checkStore(expected, first + AT_ONCE);
    }
    // That it is a test of both: much of it is refused, much of it is not.
    expect(statuses[202]).toBeGreaterThan(REQUESTS / 10);
    expect(statuses[400]).toBeGreaterThan(REQUESTS / 50);
  }, 120_000);

  it.each(["identity", "gzip"])(
    "a body without an end (%s) is read to the limit, not further",
    async (encoding) => {
      let pulled = 0;
      const endless = new ReadableStream<Uint8Array>({
        pull(controller) {
          const chunk = new Uint8Array(64 * 1024).fill(0x20);
          pulled += chunk.byteLength;
          if (pulled > 256 * 1024 * 1024) controller.close();
          else controller.enqueue(chunk);
        },
      });
      const response = await exports.default.fetch("https://metrics.example/samples", {
        method: "POST",
        headers: { "Content-Type": "application/json", "Content-Encoding": encoding },
        body: encoding === "gzip" ? endless.pipeThrough(new CompressionStream("gzip")) : endless,
      });
      expect(response.status).toBe(413);
      expect(pulled).toBeLessThan(32 * limits.bodyBytes);
    },
  );
});

/** The counters are those expected in every read, and when everything has reached D1, in D1 alone. */
async function checkStore(expected: Counted, requests: number): Promise<void> {
  const insist = (where: string, found: Counted) => {
    if (found.calls === expected.calls && found.errors === expected.errors) return;
    const difference = `${JSON.stringify(found)}, not ${JSON.stringify(expected)}`;
    throw new Error(`${where} says ${difference}: seed ${SEED}, up to request ${requests}.`);
  };
  insist("GET /metrics", await counted());
  await letTimePass();
  await ringAlarm();
  await deliver(await sentMessages());
  const { bufferedBytes, unconfirmedFlushes } = await buffer().health();
  if (bufferedBytes + unconfirmedFlushes > 0) throw new Error("Something stays in the buffer.");
  insist("D1", await countedInD1());
}

async function withinTime<T>(work: Promise<T>, first: number): Promise<T> {
  let timer: number | null = null;
  const tooLong = new Promise<never>((_, reject) => {
    const hanging = `seed ${SEED}, one of the requests ${first} to ${first + AT_ONCE - 1} is not answered.`;
    timer = setTimeout(() => reject(new Error(hanging)), ANSWERED_WITHIN_MS);
  });
  return Promise.race([work, tooLong]).finally(() => clearTimeout(timer));
}

/** Sends a request, and tells what its answer says is counted now. */
async function sendFuzzed(number: number): Promise<{ status: number; accepted: Counted }> {
  const request = await fuzzedRequest(SEED, number);
  const shown = () => `seed ${SEED}, request ${number}: ${describeRequest(request)}`;
  const { method, path, headers, body } = request;
  const url = `https://metrics.example${path}`;
  const response = await exports.default.fetch(url, { method, headers, ...(body ? { body } : {}) });
  const text = await response.text();
  if (response.status >= 500) throw new Error(`${response.status} ${text}, ${shown()}`);
  if (response.status >= 400 && method !== "HEAD") {
    const { error } = JSON.parse(text) as { error?: { code: string; message: string } };
    if (!error?.code || !error.message) throw new Error(`${response.status} ${text}, ${shown()}`);
  }
  const accepted = response.status === 202 ? await acceptedIn(request, text) : { calls: 0, errors: 0 };
  return { status: response.status, accepted };
}

/** The calls of the samples that an answer does not reject. */
async function acceptedIn(request: FuzzedRequest, answer: string): Promise<Counted> {
  const { duplicate, reasons } = JSON.parse(answer) as { duplicate: boolean; reasons: { index: number }[] };
  const sum: Counted = { calls: 0, errors: 0 };
  if (duplicate) return sum;
  const { samples } = JSON.parse(await bodyText(request)) as {
    samples: { calls?: number; errors?: number; error?: unknown }[];
  };
  const rejected = new Set(reasons.map(({ index }) => index));
  for (const [index, sample] of samples.entries()) {
    if (rejected.has(index)) continue;
    sum.calls += sample.calls ?? 1;
    sum.errors += sample.calls === undefined ? Number(sample.error !== undefined) : (sample.errors ?? 0);
  }
  return sum;
}

async function bodyText({ body, headers }: FuzzedRequest): Promise<string> {
  const stream = new Response(body).body!;
  const isZipped = headers["Content-Encoding"]?.trim().toLowerCase() === "gzip";
  return new Response(isZipped ? stream.pipeThrough(new DecompressionStream("gzip")) : stream).text();
}

async function counted(): Promise<Counted> {
  return sumOf(await readTotals(env, () => true));
}

async function countedInD1(): Promise<Counted> {
  return sumOf((await env.DB.prepare("SELECT calls, errors FROM functions").all<Counted>()).results);
}

function sumOf(rows: readonly Counted[]): Counted {
  const sum = { calls: 0, errors: 0 };
  for (const { calls, errors } of rows) {
    sum.calls += calls;
    sum.errors += errors;
  }
  return sum;
}

function describeRequest({ method, path, headers, body }: FuzzedRequest): string {
  const text = body ? new TextDecoder().decode(body) : "";
  const shown = text.length > 2_000 ? `${text.slice(0, 1_000)}… (${text.length} characters)` : text;
  return `${method} ${path} ${JSON.stringify(headers)}\n${shown}`;
}
