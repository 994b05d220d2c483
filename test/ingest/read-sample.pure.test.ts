/** Validation of samples and the deltas that they become. Pure code. */
import { describe, expect, it } from "vitest";
import { sumSamples } from "../../src/ingest/samples/sum-samples.ts";
import { mergeDeltas } from "../../src/stats/delta.ts";

const HOUR_MS = 3_600_000;
const NOW = Date.UTC(2026, 5, 1, 12, 0, 30);
const good = { function: "good", durationMs: 1 };
const sum = { function: "f", calls: 2, sumMs: 2, minMs: 1, maxMs: 1, histogram: { "-1": 2 } };

const sumAt = (...samples: unknown[]) => sumSamples("shop", samples, NOW);

/** The delta of a sample that must be valid. */
function deltaOf(sample: unknown) {
  const { deltas, answer } = sumAt(sample);
  expect(answer.reasons).toEqual([]);
  return deltas[0]!;
}

describe("a sample that is not valid is rejected alone, for a reason that names the field", () => {
  it.each<[string, unknown, string | RegExp]>([
    ["a number", 7, "A sample must be an object; it is 7."],
    ["null", null, "A sample must be an object; it is null."],
    ["an array", [], "A sample must be an object; it is an array."],
    ["no function", { durationMs: 1 }, /^function must be a string of 1 to 200 characters.*it is missing\.$/],
    ["an empty function", { function: "", durationMs: 1 }, /^function must be/],
    ["a function of spaces", { function: "  ", durationMs: 1 }, /^function must be/],
    ["a long function", { function: "f".repeat(201), durationMs: 1 }, /^function must be/],
    [
      "a control character in the function",
      { function: "a\u0000b", durationMs: 1 },
      /none of them a control character/,
    ],
    ["a long module", { function: "f", module: "m".repeat(201), durationMs: 1 }, /^module must be/],
    ["no duration", { function: "f" }, /^durationMs must be a number of milliseconds.*it is missing\.$/],
    ["a negative duration", { function: "f", durationMs: -1 }, /it is -1\.$/],
    ["a duration as text", { function: "f", durationMs: "1" }, /it is "1"\.$/],
    [
      "a long text as duration, of which 60 characters are quoted",
      { function: "f", durationMs: "x".repeat(99) },
      `durationMs must be a number of milliseconds from 0 to 604800000; it is "${"x".repeat(59)}….`,
    ],
    ["a duration of eight days", { function: "f", durationMs: 8 * 24 * HOUR_MS }, /^durationMs must be/],
    ["null as duration", { function: "f", durationMs: null }, /it is null\.$/],
    [
      "an error that is empty",
      { ...good, error: "" },
      /^error must be an object with .* a message; it is ""\.$/,
    ],
    ["an error that is a number", { ...good, error: 7 }, /^error must be an object .* it is 7\.$/],
    ["an error that is an array", { ...good, error: [] }, /^error must be an object .* it is an array\.$/],
    [
      "a duration above all numbers",
      JSON.parse('{"function":"f","durationMs":1e400}'),
      "durationMs must be a number of milliseconds from 0 to 604800000; it is above 1.7e308.",
    ],
    [
      "a time above all numbers",
      JSON.parse('{"function":"f","durationMs":1,"at":1e400}'),
      /^at must .* it is above 1\.7e308\.$/,
    ],
    [
      "a time below all numbers",
      JSON.parse('{"function":"f","durationMs":1,"at":-1e400}'),
      /^at must .* it is below -1\.7e308\.$/,
    ],
    [
      "the name of the overflow",
      { ...good, function: "__overflow__" },
      /^function must not be __overflow__ without a module/,
    ],
    [
      "a histogram below minMs",
      { ...sum, sumMs: 200, minMs: 100, maxMs: 100, histogram: { "-1": 2 } },
      "histogram has calls in bucket -1, but minMs (100) is in bucket 212 and maxMs (100) in bucket 212.",
    ],
    [
      "a histogram above maxMs",
      { ...sum, histogram: { "-1": 1, "300": 1 } },
      /^histogram has calls in bucket 300/,
    ],
    [
      "an error's name that is a number",
      { function: "f", durationMs: 1, error: { name: 1 } },
      "An error's name must be a string; it is 1.",
    ],
    ["a time 49 hours ago", { ...good, at: NOW - 49 * HOUR_MS }, /^at is \d+, more than 48 hours ago\./],
    ["a time as text", { ...good, at: "today" }, /^at must be a time/],
    ["a sum of no calls", { ...sum, calls: 0 }, "calls must be at least 1; it is 0."],
    ["a fraction of a call", { ...sum, calls: 1.5 }, /^calls must be a whole number/],
    ["more errors than calls", { ...sum, errors: 3 }, "errors (3) must not be above calls (2)."],
    ["more unmeasured than calls", { ...sum, unmeasured: 3 }, "unmeasured (3) must not be above calls (2)."],
    [
      "a histogram of fewer calls",
      { ...sum, histogram: { "0": 1 } },
      "histogram adds up to 1 calls, but calls - unmeasured is 2.",
    ],
    ["a bucket that is a fraction", { ...sum, histogram: { "1.5": 2 } }, /histogram has the bucket "1\.5"/],
    ["a bucket in another spelling", { ...sum, histogram: { "1e1": 2 } }, /histogram has the bucket "1e1"/],
    ["a bucket out of range", { ...sum, histogram: { "99999": 2 } }, /histogram has the bucket "99999"/],
    ["a bucket named __proto__", { ...sum, histogram: JSON.parse('{"__proto__":2}') as object }, /histogram/],
    ["a negative count", { ...sum, histogram: { "0": -2 } }, /histogram counts -2 calls/],
    ["a histogram that is an array", { ...sum, histogram: [2] }, /^histogram/],
    [
      "more failures than errors",
      { ...sum, errors: 1, failures: [{ name: "E", message: "", calls: 2 }] },
      "failures add up to 2 calls, but errors is 1.",
    ],
    ["failures as text", { ...sum, failures: "E" }, 'failures must be an array; it is "E".'],
    ["a failure as text", { ...sum, failures: ["E"] }, /^A failure must be an object/],
    ["a minimum above the maximum", { ...sum, minMs: 2 }, "minMs (2) must not be above maxMs (1)."],
    ["no minimum", { ...sum, minMs: undefined }, "minMs and maxMs must be given if calls were measured."],
    ["a sum that is too small", { ...sum, sumMs: 1 }, /^sumMs \(1\) must lie between/],
    ["a sum that is too large", { ...sum, sumMs: 3 }, /^sumMs \(3\) must lie between/],
    [
      "a sum without measured calls",
      { function: "f", calls: 2, unmeasured: 2, sumMs: 5 },
      "sumMs is 5, but no call was measured.",
    ],
  ])("%s", (_, bad, reason) => {
    const { answer, rejected, deltas } = sumAt(good, bad, good);
    expect(answer).toMatchObject({ accepted: 2, rejected: 1 });
    expect(answer.reasons).toHaveLength(1);
    expect(answer.reasons[0]?.index).toBe(1);
    expect(answer.reasons[0]?.reason).toMatch(reason);
    expect(Object.values(rejected)).toEqual([1]);
    expect(mergeDeltas(deltas)).toMatchObject([{ function: "good", calls: 2 }]);
  });

  it("and an answer explains the first hundred of them", () => {
    const { answer, rejected } = sumAt(...Array.from({ length: 150 }, () => ({})), good);
    expect(answer).toMatchObject({ accepted: 1, rejected: 150 });
    expect(answer.reasons.map(({ index }) => index)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(rejected).toEqual({ invalid: 150 });
  });
});

describe("a sample becomes a delta", () => {
  it("of the minute of its time, without fractions of a millisecond", () => {
    expect(deltaOf({ ...good, at: NOW - 60_000.5 })).toMatchObject({
      minute: Date.UTC(2026, 5, 1, 11, 59) / 1000,
      firstSeen: NOW - 60_001,
      lastSeen: NOW - 60_001,
    });
  });

  it.each([undefined, NOW + HOUR_MS])("of now if its time is %s", (at) => {
    expect(deltaOf({ ...good, at })).toMatchObject({ firstSeen: NOW, lastSeen: NOW });
  });

  it("with its duration in whole microseconds for the sum, and to a nanosecond for the extremes", () => {
    expect(deltaOf({ ...good, durationMs: 0.1234567891 })).toMatchObject({
      sumUs: 123,
      minMs: 0.123457,
      maxMs: 0.123457,
    });
  });

  it("that is unmeasured if the duration is below half a nanosecond", () => {
    expect(deltaOf({ ...good, durationMs: 4e-7 })).toMatchObject({
      calls: 1,
      unmeasured: 1,
      minMs: null,
      maxMs: null,
      buckets: [],
    });
  });

  it("with a failure whose text has no control characters and no unpaired surrogates", () => {
    const error = { name: "Type\nError", message: "a\r\n\tb\ud800" };
    expect(deltaOf({ ...good, error })).toMatchObject({
      errors: 1,
      failures: [{ name: "Type Error", message: "a b\ufffd", calls: 1 }],
    });
  });

  it("with a failure of default texts if the error has none", () => {
    expect(deltaOf({ ...good, error: {} }).failures).toEqual([{ name: "Error", message: "", calls: 1 }]);
  });

  it("with a minimum above 0, even if a browser measured 0", () => {
    const measured = { ...sum, sumMs: 0.1, minMs: 0, maxMs: 0.1, histogram: { "-638": 1, "-107": 1 } };
    expect(deltaOf(measured)).toMatchObject({ unmeasured: 0, minMs: 1e-6, maxMs: 0.1 });
  });

  it("without failures that no call had", () => {
    const failures = [
      { name: "A", message: "a", calls: 0 },
      { name: "B", message: "b", calls: 1 },
    ];
    expect(deltaOf({ ...sum, errors: 1, failures }).failures).toEqual([failures[1]]);
  });

  it.each([
    ["a name, a message", { name: "TypeError", message: "no x" }, { name: "TypeError", message: "no x" }],
    ["a message alone", "no x", { name: "Error", message: "no x" }],
    ["nulls in place of texts", { name: null, message: null }, { name: "Error", message: "" }],
    ["decomposed letters", "e\u0301chec", { name: "Error", message: "\u00e9chec" }],
    ["a long decomposed message", "e\u0301".repeat(600), { name: "Error", message: "\u00e9".repeat(500) }],
  ])("with a failure from an error that is %s", (_, error, failure) => {
    expect(deltaOf({ ...good, error })).toMatchObject({ errors: 1, failures: [{ ...failure, calls: 1 }] });
  });

  it("as if an optional field that is null were left out", () => {
    expect(deltaOf({ ...good, error: null, module: null, at: null, calls: null })).toEqual(deltaOf(good));
    const empty = { function: "f", calls: 2, unmeasured: 2 };
    const nulls = {
      at: null,
      errors: null,
      sumMs: null,
      minMs: null,
      maxMs: null,
      histogram: null,
      failures: null,
    };
    expect(deltaOf({ ...empty, ...nulls })).toEqual(deltaOf(empty));
    // The first call is read in full, the others are added to its delta.
    const { deltas, answer } = sumAt(
      good,
      ...Array.from({ length: 3 }, () => ({ ...good, error: null, at: null })),
    );
    expect(answer).toMatchObject({ accepted: 4, rejected: 0 });
    expect(deltas).toMatchObject([{ calls: 4, errors: 0 }]);
  });

  it.each([
    "2026-06-01T11:59:00Z",
    "2026-06-01T13:59:00+02:00",
    "2026-06-01T06:29:00.000-05:30",
    "2026-06-01T11:59:00.000000123Z",
  ])("at the time %s", (at) => {
    expect(deltaOf({ ...good, at })).toMatchObject({ firstSeen: Date.UTC(2026, 5, 1, 11, 59) });
  });

  it.each([
    "2026-06-01T11:59:00",
    "2026-06-01",
    "2026-06-31T11:59:00Z",
    "2026-06-01T24:59:00Z",
    "-1h",
    "now",
    "",
    String(NOW),
  ])("but not at %j", (at) => {
    expect(sumAt({ ...good, at }).answer.reasons).toEqual([
      { index: 0, reason: expect.stringMatching(/^at must be a time: .* it is "/) as string },
    ]);
  });

  it.each([
    ["seconds", NOW / 1e3, "Multiply by 1,000"],
    ["microseconds", NOW * 1e3, "Divide by 1,000"],
    ["nanoseconds", NOW * 1e6, "Divide by 1,000,000"],
  ])("but not at a time in epoch %s, also behind calls that are added up quickly", (unit, at, advice) => {
    const { answer, deltas } = sumAt(good, { ...good, at }, { ...sum, function: "other", at }, good);
    const reason = `at must be in epoch milliseconds; ${at} looks like epoch ${unit}. ${advice}.`;
    expect(answer.reasons).toEqual([
      { index: 1, reason },
      { index: 2, reason },
    ]);
    expect(mergeDeltas(deltas)).toMatchObject([{ function: "good", calls: 2 }]);
  });

  it("from a sum under the name of the overflow, and from a call of that name in a module", () => {
    expect(deltaOf({ ...sum, function: "__overflow__" })).toMatchObject({ function: "__overflow__" });
    expect(deltaOf({ ...good, function: "__overflow__", module: "m" })).toMatchObject({ module: "m" });
  });

  it.each([
    ["a neighbouring bucket", { minMs: 100, maxMs: 100, sumMs: 200, histogram: { "211": 1, "213": 1 } }],
    [
      "extremes in whole microseconds",
      { minMs: 0.001, maxMs: 0.001, sumMs: 0.0024, histogram: { "-315": 1, "-303": 1 } },
    ],
    ["a browser's zeros", { minMs: 0, maxMs: 0, sumMs: 0, histogram: { "-638": 2 } }],
  ])("from a histogram that fits its extremes but for rounding: %s", (_, fields) => {
    expect(deltaOf({ ...sum, ...fields })).toMatchObject({ calls: 2 });
  });

  it("from a sum whose total has the error of floating-point addition", () => {
    const total = Array.from({ length: 10 }, () => 0.1).reduce((a, b) => a + b, 0);
    expect(total).not.toBe(1);
    const tenths = {
      function: "f",
      calls: 10,
      sumMs: total,
      minMs: 0.1,
      maxMs: 0.1,
      histogram: { "-107": 10 },
    };
    expect(deltaOf(tenths)).toMatchObject({ calls: 10, sumUs: 1_000 });
  });
});
