/** Sends recorded and hand-written OTLP traces, and compares what is counted with the expected results beside them. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { compareSeriesIds } from "../../../src/stats/series-id.ts";
import type { Failure } from "../../../src/stats/failures.ts";
import { type Histogram, toHistogram } from "../../../src/stats/histogram.ts";
import type { Delta } from "../../../src/stats/delta.ts";
import {
  pendingDeltas,
  sampleBytes,
  sampleJson,
  sampleNames,
  type SampleRequest,
  sendOtlp,
} from "./sample.ts";

interface ExpectedDelta {
  service: string;
  module: string;
  function: string;
  at: number;
  calls: number;
  errors: number;
  unmeasured: number;
  histogram: Histogram;
  failures: Failure[];
  sumMs: number;
  minMs: number | null;
  maxMs: number | null;
}

interface Expected {
  request: SampleRequest;
  serverNowMs?: number;
  status: number;
  partialSuccess?: { rejectedSpans: number };
  deltas: ExpectedDelta[];
}

const cases = sampleNames()
  .filter((name) => /^(cloudflare|edge|traces)-.*\.expected\.json$/.test(name))
  .map((name) => name.replace(".expected.json", ""));

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

function shown({
  minute,
  buckets,
  failures,
  sumUs,
  firstSeen: _,
  lastSeen: __,
  ...delta
}: Delta): ExpectedDelta {
  const byName = (a: Failure, b: Failure) => (a.message < b.message ? 1 : -1);
  return {
    ...delta,
    at: minute * 1000,
    histogram: toHistogram(buckets),
    failures: failures.toSorted(byName),
    sumMs: sumUs / 1000,
  };
}

/** The recorded bodies with rejected spans are all in JSON. */
function rejectedIn(answer: string): number {
  if (!answer.startsWith("{")) return 0;
  const { partialSuccess } = JSON.parse(answer) as { partialSuccess?: { rejectedSpans: number } };
  return partialSuccess?.rejectedSpans ?? 0;
}

function inOrder(deltas: readonly ExpectedDelta[]): ExpectedDelta[] {
  return deltas.toSorted((a, b) => a.at - b.at || compareSeriesIds(a, b));
}

describe("a recorded body", () => {
  it("is there for both encodings", () => expect(cases.length).toBeGreaterThan(8));

  it.each(cases)("%s is counted as expected, and once only if it is sent again", async (name) => {
    const expected = sampleJson(`${name}.expected.json`) as Expected;
    if (expected.serverNowMs !== undefined) vi.setSystemTime(expected.serverNowMs);
    const answers = [];
    for (let i = 0; i < 2; i++) {
      const response = await sendOtlp(expected.request, sampleBytes(name));
      expect(response.status).toBe(expected.status);
      expect(response.headers.get("Content-Type")).toBe(expected.request.contentType);
      answers.push(new TextDecoder().decode(await response.arrayBuffer()));
    }
    expect(answers[1]).toBe(answers[0]);
    expect(rejectedIn(answers[0]!)).toBe(expected.partialSuccess?.rejectedSpans ?? 0);
    expect(inOrder((await pendingDeltas()).map(shown))).toEqual(inOrder(expected.deltas));
  });
});
