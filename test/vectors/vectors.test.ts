/**
 * Runs the test vectors of docs/wire-format.md: sends each vector's requests, and compares the answers, the rows in D1 and
 * the rows of `GET /metrics`.
 */
/// <reference types="vite/types/importMeta.d.ts" />
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { carryToD1, fetchWorker, metrics } from "../worker.ts";

interface Vector {
  title: string;
  /** The server's clock while it takes the requests. ISO 8601. */
  serverTime: string;
  steps: { request: VectorRequest; response: VectorResponse }[];
  /** The rows of D1's view `metrics` after the last step. */
  d1: Record<string, unknown>[];
  /** The rows of `GET /metrics` after the last step. */
  metrics: Record<string, unknown>[];
}

interface VectorRequest {
  /** Default: `/samples`. */
  path?: string;
  headers: Record<string, string>;
  /** The body: as JSON, which is sent without spaces, as text, or as bytes in base64. */
  json?: unknown;
  text?: string;
  base64?: string;
}

interface VectorResponse {
  status: number;
  /** Without `message` and `reason`: these sentences are for people and may change. */
  answer: object;
}

interface Answer {
  reasons?: { reason: string }[];
  error?: { message: string };
}

const vectors = import.meta.glob<Vector>("./*.json", { eager: true, import: "default" });

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});

afterEach(() => {
  vi.useRealTimers();
});

it("there are fourteen vectors", () => {
  expect(Object.keys(vectors)).toHaveLength(14);
});

it.each(Object.entries(vectors).map(([file, vector]) => ({ file, ...vector })))(
  "$file: $title",
  async (vector) => {
    vi.setSystemTime(vector.serverTime);

    for (const { request, response } of vector.steps) {
      const received = await fetchWorker(request.path ?? "/samples", {
        method: "POST",
        headers: request.headers,
        body: bodyOf(request),
      });
      const answer = await received.json<Answer>();
      expect({ status: received.status, answer }).toMatchObject(response);
      for (const sentence of sentencesIn(answer)) expect(sentence).toMatch(/\w+ \w+/);
    }

    // The rows are the same while the calls are in the buffer, and once D1 has them.
    expect(await metrics()).toEqual(vector.metrics);
    await carryToD1();
    const { results } = await env.DB.prepare("SELECT * FROM metrics").all();
    expect(results).toEqual(vector.d1);
    expect(await metrics()).toEqual(vector.metrics);
  },
);

function bodyOf({ json, text, base64 }: VectorRequest): BodyInit {
  if (base64 !== undefined) return Uint8Array.fromBase64(base64);
  return text ?? JSON.stringify(json);
}

function sentencesIn({ reasons = [], error }: Answer): string[] {
  return [...reasons.map(({ reason }) => reason), ...(error ? [error.message] : [])];
}
