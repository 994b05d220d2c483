/** Senders whose clock is wrong: the server dates their calls by its own clock. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { acknowledged, getJson, post, refused } from "../worker.ts";

const NOW = Date.parse("2040-01-01T12:00:30.000Z");
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});

afterEach(() => {
  vi.useRealTimers();
});

/** When the function's calls were made, as the server sees it. */
async function datedAt(name = "work"): Promise<string[]> {
  const { series } = await getJson<{ series: { at: string; calls: number }[] }>(
    `/metrics/shop/${name}?from=-6h&step=1m`,
  );
  return series.filter(({ calls }) => calls > 0).map(({ at }) => at);
}

it.each([
  ["three days slow", -72 * HOUR_MS],
  ["47 hours slow", -47 * HOUR_MS],
  ["two minutes slow", -2 * MINUTE_MS],
  ["a day fast", 24 * HOUR_MS],
  ["at 1970", -NOW + 1],
])("a clock that is %s does not date the calls", async (_, errorMs) => {
  const made = NOW + errorMs;
  const samples = [
    { function: "work", durationMs: 5, at: made - 10 * MINUTE_MS },
    { function: "work", durationMs: 5, at: made },
    { function: "work", durationMs: 5 },
  ];
  await acknowledged(samples, { key: "k", sentAt: made, ageMs: 0 });
  expect(await datedAt()).toEqual(["2040-01-01T11:50:00.000Z", "2040-01-01T12:00:00.000Z"]);
});

it("a batch that arrives an hour late is dated to when it was made", async () => {
  const sentAt = NOW - 73 * HOUR_MS;
  await acknowledged([{ function: "work", durationMs: 5, at: sentAt }], { sentAt, ageMs: HOUR_MS });
  expect(await datedAt()).toEqual(["2040-01-01T11:00:00.000Z"]);
});

it("a difference of less than a minute is the network's, and changes nothing", async () => {
  const at = NOW - 59_000;
  await acknowledged([{ function: "work", durationMs: 5, at }], { sentAt: at, ageMs: 0 });
  expect(await datedAt()).toEqual(["2040-01-01T11:59:00.000Z"]);
});

it.each([
  ["sentAt", { sentAt: NOW - 72 * HOUR_MS }],
  ["ageMs", { ageMs: 0 }],
  ["a sentAt of 0, of a clock without time,", { sentAt: 0, ageMs: 0 }],
])("%s alone changes nothing", async (_, options) => {
  const samples = [{ function: "work", durationMs: 5, at: NOW - 72 * HOUR_MS }];
  expect(await refused(samples, options)).toMatchObject({ rejected: 1 });
});

it("a batch that comes again after its key is forgotten is too old, and does not count twice", async () => {
  const sentAt = NOW - 30 * 24 * HOUR_MS;
  const samples = [{ function: "work", durationMs: 5, at: sentAt }];
  await acknowledged(samples, { key: "k", sentAt, ageMs: 0 });
  vi.setSystemTime(NOW + 97 * HOUR_MS);
  expect(await refused(samples, { key: "k", sentAt, ageMs: 97 * HOUR_MS })).toMatchObject({
    rejected: 1,
    duplicate: false,
  });
});

it.each(["-1", "soon", "NaN"])("an age of %s is refused", async (age) => {
  const response = await post([], { ageMs: age as unknown as number });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    error: { message: expect.stringMatching(/ageMs.*milliseconds, 0 or more/) as string },
  });
});

it("a sentAt that is no number is refused", async () => {
  const response = await post([], { sentAt: "now" as unknown as number, ageMs: 0 });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    error: { message: 'sentAt must be a number of epoch milliseconds; it is "now".' },
  });
});
