/**
 * Sends 20,000 random requests, many of them malformed. Every answer must be documented and come in time, and rejected
 * requests must change no counter. To repeat the requests of a seed:
 *
 *   SEED=42 npm test -- --project stages test/fuzz
 */
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Random } from "../scripts/random.ts";
import { ingestLimits } from "../src/ingest/limits.ts";
import { readTotals } from "../src/read/series.ts";
import { validBatch } from "./fuzz/batch.ts";
import { type FuzzedRequest, fuzzedRequest } from "./fuzz/generate.ts";
import { ROUTES } from "./fuzz/read.ts";
import {
  acknowledged,
  buffer,
  carryToD1,
  deliver,
  fetchWorker,
  letTimePass,
  ringAlarm,
  sentMessages,
} from "./worker.ts";

const settings = env as unknown as { SEED: string; WATCHDOG: Fetcher };
const SEED = Number(settings.SEED) || Math.floor(Math.random() * 2 ** 31);
const REQUESTS = 20_000;
const AT_ONCE = 20;
const PER_ROUND = 1_000;
/** Longer than any request takes, even on a slow machine. */
const ANSWERED_WITHIN_MS = 20_000;
/**
 * How much the memory of the runtime may grow: 50 KB a request. Most of the growth is garbage that is not collected yet.
 */
const GROWN_BYTES = 1024 * 1024 * 1024;

beforeEach(() => {
  for (const method of ["log", "error"] as const) vi.spyOn(console, method).mockImplementation(() => {});
});
afterEach(() => void vi.restoreAllMocks());

interface Counted {
  calls: number;
  errors: number;
}

describe("hostile input", () => {
  it(`${REQUESTS} requests get no 5xx, none hangs, and the counters match the accepted samples`, async () => {
    const expected = await fillStore();
    const statuses: Record<number, number> = {};
    const done = new Set<string>();
    const bytesBefore = await tellWatchdog("");
    for (let first = 0; first < REQUESTS; first += AT_ONCE) {
      const requests = await Promise.all(
        Array.from({ length: AT_ONCE }, (_, i) => fuzzedRequest(SEED, first + i)),
      );
      await tellWatchdog(requests.map((request, i) => shownAs(request, first + i).slice(0, 300)).join("\n"));
      for (const { status, accepted, request } of await sendAll(requests, first)) {
        statuses[status] = (statuses[status] ?? 0) + 1;
        expected.calls += accepted.calls;
        expected.errors += accepted.errors;
        const isDone = status < 300 || status === 404;
        if (isDone && request.route) done.add(request.route);
        if (status < 300) for (const name of request.parameters ?? []) done.add(`${request.route} ${name}`);
      }
      if ((first + AT_ONCE) % PER_ROUND === 0) await checkStore(expected, first + AT_ONCE);
    }
    const bytesAfter = await tellWatchdog("");
    // The requests must be a good mix: many accepted, many rejected, and every route and parameter used.
    expect(statuses[202]).toBeGreaterThan(REQUESTS / 20);
    expect(statuses[200]).toBeGreaterThan(REQUESTS / 20);
    expect(statuses[400]).toBeGreaterThan(REQUESTS / 50);
    expect([...done].sort()).toEqual(everything());
    // Null if the system does not tell.
    expect((bytesAfter ?? 0) - (bytesBefore ?? 0)).toBeLessThan(GROWN_BYTES);
  }, 600_000);

  it.each(["identity", "gzip"])("an endless body (%s) is read only up to the limit", async (encoding) => {
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
    expect(pulled).toBeLessThan(32 * ingestLimits.bodyBytes);
  });
});

/** Checks the counters in a read, then brings everything to D1 and checks them there. @throws {Error} if they differ */
async function checkStore(expected: Counted, requests: number): Promise<void> {
  const insist = (where: string, found: Counted) => {
    if (found.calls === expected.calls && found.errors === expected.errors) return;
    const difference = `${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`;
    throw new Error(`${where} shows ${difference}. Seed ${SEED}, up to request ${requests}.`);
  };
  insist("GET /metrics", await counted());
  await letTimePass();
  await ringAlarm();
  await deliver(await sentMessages());
  const { bufferedBytes, unconfirmedFlushes } = await buffer().health();
  if (bufferedBytes + unconfirmedFlushes > 0) throw new Error("The buffer is not empty after a flush.");
  insist("D1", await countedInD1());
}

/** Stores random calls: functions in the buffer only, in D1 only and in both, with durations below and above 1 ms. */
async function fillStore(): Promise<Counted> {
  const random = new Random(SEED);
  const sum: Counted = { calls: 0, errors: 0 };
  for (let i = 0; i < 20; i++) {
    const { service, samples } = validBatch(random) as { service: string; samples: SentSample[] };
    await acknowledged(samples, { service });
    addSamples(sum, samples);
    if (i === 10) await carryToD1();
  }
  return sum;
}

/** Every route, and every query parameter of it. */
function everything(): string[] {
  return ROUTES.flatMap(({ method, path, parameters }) => [
    `${method} ${path}`,
    ...parameters.filter((one) => one.in === "query").map(({ name }) => `${method} ${path} ${name}`),
  ]).sort();
}

async function tellWatchdog(text: string): Promise<number | null> {
  const response = await settings.WATCHDOG.fetch("http://watchdog", { method: "POST", body: text });
  return (await response.json<{ bytes: number | null }>()).bytes;
}

/** Whether the JSON is an error in the form of the path's protocol: OTLP's, Prometheus' or our own. */
function isErrorOf(path: string, answer: unknown): boolean {
  const { code, message, error, errorType, status } = answer as Record<string, unknown>;
  if (path.startsWith("/v1/")) return Boolean(code && message);
  if (errorType !== undefined) return status === "error" && typeof error === "string";
  const { code: ownCode, message: ownMessage } = error as Record<string, unknown>;
  return Boolean(ownCode && ownMessage);
}

interface Outcome {
  request: FuzzedRequest;
  status: number;
  accepted: Counted;
}

async function sendAll(requests: readonly FuzzedRequest[], first: number): Promise<Outcome[]> {
  const unanswered = new Set(requests);
  let timer: number | null = null;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const hanging = requests.flatMap((one, i) => (unanswered.has(one) ? [shownAs(one, first + i)] : []));
      reject(new Error(`Not answered within ${ANSWERED_WITHIN_MS} ms:\n${hanging.join("\n")}`));
    }, ANSWERED_WITHIN_MS);
  });
  const sending = requests.map(async (request, i) => {
    const outcome = await sendFuzzed(request, first + i);
    unanswered.delete(request);
    return outcome;
  });
  return Promise.race([Promise.all(sending), tooLong]).finally(() => clearTimeout(timer));
}

/** Sends a request and returns the calls that its answer acknowledges. */
async function sendFuzzed(request: FuzzedRequest, number: number): Promise<Outcome> {
  const shown = () => shownAs(request, number);
  const { method, path, headers, body } = request;
  const response = await fetchWorker(path, { method, headers, ...(body ? { body } : {}) });
  const text = new TextDecoder().decode(await response.arrayBuffer());
  if (response.status >= 500 && !isTimeout(request, response.status, text))
    throw new Error(`${response.status} ${text}, ${shown()}`);
  const isAnsweredBatch = response.status === 422 && path.startsWith("/samples");
  if (response.status >= 400 && method !== "HEAD" && !isAnsweredBatch) {
    if (!isErrorOf(path, JSON.parse(text))) throw new Error(`${response.status} ${text}, ${shown()}`);
  }
  const isBatch = response.status === 202 && path.startsWith("/samples");
  return {
    request,
    status: response.status,
    accepted: isBatch ? await acceptedIn(request, text) : { calls: 0, errors: 0 },
  };
}

/** Whether a query took longer than the time that it allowed itself. Prometheus answers 503 then. */
const isTimeout = ({ path }: FuzzedRequest, status: number, text: string): boolean =>
  status === 503 &&
  /^\/api\/v1\/query.*[?&]timeout=/.test(path) &&
  // The answer to HEAD has no text.
  (text === "" || text.includes('"errorType":"timeout"'));

/** The calls in the samples that the answer does not reject. */
async function acceptedIn(request: FuzzedRequest, answer: string): Promise<Counted> {
  const { duplicate, reasons } = JSON.parse(answer) as { duplicate: boolean; reasons: { index: number }[] };
  const sum: Counted = { calls: 0, errors: 0 };
  if (duplicate) return sum;
  const { samples } = JSON.parse(await bodyText(request)) as { samples: SentSample[] };
  const rejected = new Set(reasons.map(({ index }) => index));
  addSamples(
    sum,
    samples.filter((_, index) => !rejected.has(index)),
  );
  return sum;
}

interface SentSample {
  calls?: number;
  errors?: number;
  error?: unknown;
}

function addSamples(sum: Counted, samples: readonly SentSample[]): void {
  for (const sample of samples) {
    sum.calls += sample.calls ?? 1;
    // A field that is null counts as left out.
    const isCall = (sample.calls ?? null) === null;
    sum.errors += isCall ? Number((sample.error ?? null) !== null) : (sample.errors ?? 0);
  }
}

async function bodyText({ body, headers }: FuzzedRequest): Promise<string> {
  const stream = new Response(body).body!;
  const isZipped = /^\s*(x-)?gzip\s*$/i.test(headers["Content-Encoding"] ?? "");
  return new Response(isZipped ? stream.pipeThrough(new DecompressionStream("gzip")) : stream).text();
}

async function counted(): Promise<Counted> {
  return sumOf(await readTotals(env));
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

function shownAs({ method, path, headers, body }: FuzzedRequest, number: number): string {
  const text = body ? new TextDecoder().decode(body) : "";
  const shown = text.length > 2_000 ? `${text.slice(0, 1_000)}… (${text.length} characters)` : text;
  const line = `${method} ${path} ${JSON.stringify(headers)} ${shown}`.replaceAll(/\p{Cc}/gu, "\ufffd");
  return `seed ${SEED}, request ${number}: ${line}`;
}
