import { expect, it } from "vitest";
import type { FunctionDescription } from "../../src/api/describe-function.ts";
import { storeLimits } from "../../src/store/limits.ts";
import { acknowledged, carryToD1, getJson } from "../worker.ts";

const failures = async () => (await getJson<FunctionDescription>("/metrics/shop/work")).failures;

/** One sample per message. Each has `calls` failed calls. */
const failing = (messages: readonly string[], calls = 1) =>
  messages.map((message) => ({
    function: "work",
    calls,
    errors: calls,
    unmeasured: calls,
    failures: [{ name: "E", message, calls }],
  }));

const messages = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `m${from + i}`);

it("keeps the same 100 different failures before and after a flush", async () => {
  await acknowledged(failing(messages(0, storeLimits.failuresPerFunction - 10)));
  await carryToD1();
  await acknowledged(failing(messages(200, 215), 2));
  await acknowledged(failing([...messages(300, 310), "m0"], 3));
  const before = await failures();
  await carryToD1();
  expect(await failures()).toEqual(before);
  const kept = before.map(({ message }) => message);
  // Ten places were left. The most frequent failures of the flush take them.
  expect(kept).toEqual(expect.arrayContaining(messages(300, 310)));
  expect(before.find(({ name }) => name === "other")).toMatchObject({ calls: 30 });
});
