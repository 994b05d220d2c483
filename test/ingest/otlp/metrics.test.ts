/** What data points become, and which are rejected and why. */
import { describe, expect, it } from "vitest";
import { calls as callsShown } from "../../worker.ts";
import { pendingDeltas, sendOtlp } from "./sample.ts";
import { attributes, calls, metricsJson, type PointOptions, points, resourceMetrics } from "./points.ts";

const METRICS = { path: "/v1/metrics", contentType: "application/json" };
const DELTA: PointOptions = { temporality: 1 };

async function send(body: string): Promise<{ rejected: number; message: string }> {
  const response = await sendOtlp(METRICS, body);
  expect(response.status).toBe(200);
  const { partialSuccess } = await response.json<{
    partialSuccess?: { rejectedDataPoints: number; errorMessage: string };
  }>();
  return { rejected: partialSuccess?.rejectedDataPoints ?? 0, message: partialSuccess?.errorMessage ?? "" };
}

const TAKEN = { rejected: 0, message: "" };
const durations = (value: object, options: PointOptions = DELTA, more: object = {}) => ({
  name: "function.calls.duration",
  unit: "ms",
  ...more,
  ...points("histogram", [{ attributes: attributes({ function: "pay", module: "app" }), ...value }], options),
});
const TWO = { count: 2, sum: 25, bucketCounts: [1, 1], explicitBounds: [10] };

describe("a counter and its histogram", () => {
  it("count each call once, in whatever order they come", async () => {
    for (const metrics of [
      [calls("pay", 2, 1, DELTA), durations(TWO)],
      [durations(TWO), calls("pay", 2, 1, DELTA)],
    ]) {
      expect(await send(metricsJson(metrics))).toEqual(TAKEN);
    }
    expect(await pendingDeltas()).toMatchObject([
      { function: "pay", module: "app", calls: 6, errors: 2, unmeasured: 2, sumUs: 50_000 },
    ]);
  });

  it("count the durations as calls if there is no counter beside them", async () => {
    expect(await send(metricsJson([durations(TWO)]))).toEqual(TAKEN);
    const others = [
      resourceMetrics([durations({ ...TWO, sum: 26 })]),
      resourceMetrics([calls("add", 1, 0, DELTA)]),
    ];
    expect(await send(JSON.stringify({ resourceMetrics: others }))).toEqual(TAKEN);
    expect(await callsShown()).toEqual({ pay: 4, add: 1 });
  });

  it("of different temporality count each call once too", async () => {
    await send(metricsJson([calls("pay", 3, 0, DELTA), durations(TWO, {})]));
    expect(await callsShown()).toEqual({ pay: 3 });
    expect(await pendingDeltas()).toMatchObject([{ calls: 3, unmeasured: 1 }]);
  });
});

describe("a data point is rejected", () => {
  const counter = (more: object, name = "function.calls") => ({
    name,
    ...points("sum", [{ attributes: attributes({ function: "pay" }), ...more }], DELTA),
  });

  it.each([
    [
      "of another metric",
      [counter({ asInt: 1 }, "jvm.gc.count")],
      /^The metric "jvm.gc.count" is none of those/,
    ],
    [
      "that is no whole number",
      [counter({ asDouble: 1.5 })],
      /^A point of function.calls is not a whole number/,
    ],
    ["that is negative", [counter({ asInt: "-1" })], /whole number/],
    ["that is not a number", [counter({ asDouble: "NaN" })], /whole number/],
    ["that is infinite", [counter({ asDouble: "Infinity" })], /whole number/],
    ["without a value", [counter({})], /whole number/],
    ["without a time", [counter({ asInt: 1, timeUnixNano: "0" })], /^A point of function.calls has no time/],
    ["without a function", [counter({ asInt: 1, attributes: [] })], /has no attribute function\./],
    ["without temporality", [calls("pay", 1, 0, { temporality: 0 })], /has no temporality\. \(2\)/],
    [
      "in another unit",
      [durations(TWO, DELTA, { unit: "h" })],
      /^The unit of function.calls.duration is "h"/,
    ],
    [
      "with another count",
      [durations({ ...TWO, count: 3 })],
      /has 2 durations in its buckets, but its count is 3/,
    ],
    ["with too few bounds", [durations({ ...TWO, explicitBounds: [] })], /one more bucketCounts/],
    [
      "with bounds that descend",
      [durations({ ...TWO, count: 2, bucketCounts: [1, 1, 0], explicitBounds: [9, 8] })],
      /ascend/,
    ],
    ["with an odd sum", [durations({ ...TWO, sum: "NaN" })], /has a sum that is not/],
    [
      "that is late",
      [calls("pay", 1, 0, { ...DELTA, time: Date.now() - 49 * 3_600_000 })],
      /^Ended more than 48 hours/,
    ],
    [
      "that is cumulative and late",
      [calls("pay", 1, 0, { time: Date.now() - 49 * 3_600_000 })],
      /^Ended more than/,
    ],
  ] as [string, object[], RegExp][])("%s", async (_, metrics, message) => {
    const answer = await send(metricsJson(metrics));
    expect(answer.message).toMatch(message);
    expect(answer.rejected).toBeGreaterThan(0);
    expect(await callsShown()).toEqual({});
  });

  it("while the others count, and each reason is told once", async () => {
    const metrics = [
      counter({ asInt: 1 }),
      counter({ asInt: 1 }, "a"),
      counter({ asInt: 1 }, "a"),
      counter({ asInt: 2.5 }),
    ];
    const { rejected, message } = await send(metricsJson(metrics));
    expect(rejected).toBe(3);
    expect(message.match(/The metric "a"/g)).toHaveLength(1);
    expect(await callsShown()).toEqual({ pay: 1 });
  });
});

describe("a data point is left out by design", () => {
  it.each([
    ["of a gauge", { name: "x", gauge: { dataPoints: [{ asInt: 1 }] } }],
    ["of a summary", { name: "x", summary: { dataPoints: [{ count: 1 }] } }],
    [
      "of a counter that may fall",
      { name: "x", sum: { aggregationTemporality: 2, dataPoints: [{ asInt: 1 }] } },
    ],
    ["that stands for a gap", { name: "function.calls", ...points("sum", [{ flags: 1 }], DELTA) }],
    [
      "of a client",
      {
        name: "traces.span.metrics.calls",
        ...points(
          "sum",
          [{ asInt: 1, attributes: attributes({ "span.name": "x", "span.kind": "SPAN_KIND_CLIENT" }) }],
          DELTA,
        ),
      },
    ],
    [
      "of a database",
      {
        name: "db.client.operation.duration",
        unit: "s",
        ...points(
          "histogram",
          [{ ...TWO, attributes: attributes({ "db.operation.name": "SELECT" }) }],
          DELTA,
        ),
      },
    ],
  ])("%s", async (_, metric) => {
    expect(await send(metricsJson([metric]))).toEqual(TAKEN);
    expect(await callsShown()).toEqual({});
  });
});

it("a histogram without buckets gives calls and their average", async () => {
  await send(metricsJson([durations({ count: 4, sum: 100 })]));
  expect(await pendingDeltas()).toMatchObject([{ calls: 4, unmeasured: 0, sumUs: 100_000 }]);
});

it("a histogram whose durations are all 0 gives unmeasured calls", async () => {
  await send(metricsJson([durations({ count: 4, sum: 0, bucketCounts: [4, 0], explicitBounds: [5] })]));
  expect(await pendingDeltas()).toMatchObject([{ calls: 4, unmeasured: 4, minMs: null, buckets: [] }]);
});
