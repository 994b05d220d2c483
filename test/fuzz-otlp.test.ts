/**
 * Sends mutated OTLP bodies of both encodings: spans and metrics, bytes and values. No answer may be a 5xx, no refused body may
 * change a counter, and everything that is taken must add up. To repeat the bodies of a seed:
 *
 *   SEED=42 npm test -- --project stages test/fuzz-otlp
 */
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ErrorResponse } from "../src/http/error-response.ts";
import { readTotals } from "../src/read/series.ts";
import { decoded, mutatedOtlp, type OtlpRequest, problemIn } from "./fuzz/otlp.ts";
import { fetchWorker } from "./worker.ts";

const settings = env as unknown as { SEED: string };
const SEED = Number(settings.SEED) || Math.floor(Math.random() * 2 ** 31);
const DECODED = 100_000;
const SENT = 5_000;
const AT_ONCE = 50;
/** The recorded bodies are of this time. */
const NOW = 1_795_450_500_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
  for (const method of ["log", "error"] as const) vi.spyOn(console, method).mockImplementation(() => {});
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it(`${DECODED} mutated bodies become sums that add up, or are refused with a reason`, async () => {
  const outcomes: Record<string, number> = { taken: 0, empty: 0 };
  for (let i = 0; i < DECODED; i++) {
    const request = mutatedOtlp(SEED, i);
    const outcome = await decoded(request, NOW).catch((error: unknown) => error);
    if (Array.isArray(outcome)) {
      const problem = problemIn(outcome as never);
      if (problem !== undefined) throw new Error(`Seed ${SEED}, body ${i}: ${problem}`);
      outcomes[outcome.length > 0 ? "taken" : "empty"]!++;
    } else if (outcome instanceof ErrorResponse && [400, 413].includes(outcome.status)) {
      outcomes[outcome.code] = (outcomes[outcome.code] ?? 0) + 1;
    } else {
      throw new Error(
        `Seed ${SEED}, body ${i}: ${String(outcome)}\n${new TextDecoder().decode(request.body)}`,
      );
    }
  }
  // The bodies must be a good mix.
  expect(outcomes["taken"]).toBeGreaterThan(DECODED / 10);
  expect(outcomes["invalid_json"]).toBeGreaterThan(DECODED / 20);
  expect(outcomes["invalid_protobuf"]).toBeGreaterThan(DECODED / 20);
}, 600_000);

it(`${SENT} mutated requests get no 5xx, and what is refused changes no counter`, async () => {
  const refused: OtlpRequest[] = [];
  const statuses = new Set<number>();
  for (let first = 0; first < SENT; first += AT_ONCE) {
    const requests = Array.from({ length: AT_ONCE }, (_, i) => mutatedOtlp(SEED, first + i));
    for (const [i, status] of (await Promise.all(requests.map(send))).entries()) {
      statuses.add(status);
      if (status >= 500) throw new Error(`Seed ${SEED}, request ${first + i}: ${status}`);
      if (status >= 400) refused.push(requests[i]!);
    }
  }
  expect([...statuses].sort((a, b) => a - b)).toEqual([200, 400]);
  const before = await readTotals(env);
  expect(before.length).toBeGreaterThan(0);
  expect(before.every(({ calls, errors, unmeasured }) => errors <= calls && unmeasured <= calls)).toBe(true);
  for (let first = 0; first < refused.length; first += AT_ONCE) {
    await Promise.all(refused.slice(first, first + AT_ONCE).map(send));
  }
  expect(await readTotals(env)).toEqual(before);
}, 600_000);

async function send({ path, headers, body }: OtlpRequest): Promise<number> {
  const response = await fetchWorker(path, { method: "POST", headers, body });
  await response.arrayBuffer();
  return response.status;
}
