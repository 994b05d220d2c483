import { runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { FunctionList } from "../../src/api/list-functions.ts";
import type { ServiceList } from "../../src/api/services.ts";
import { bufferLimits } from "../../src/buffer/limits.ts";
import { acknowledged, buffer, calls, carryToD1, get, getJson } from "../worker.ts";

const DAY = 86_400_000;
const call = (name: string) => ({ function: name, durationMs: 5 });
const names = async (query = "") =>
  (await getJson<FunctionList>(`/metrics${query}`)).functions.map((row) => row.function).sort();

const overflow = async () => (await (await get("/health")).json<{ overflow: string[] }>()).overflow;

/** Lets days pass. A sample that is sent then has the new time. */
function daysLater(days: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + days * DAY });
}
afterEach(() => void vi.useRealTimers());

describe("a function without a call for 30 days", () => {
  it("leaves lists and the scrape, keeps its history, and comes back whole with its next call", async () => {
    await acknowledged([call("yearly"), call("daily")]);
    await acknowledged([call("work")], { service: "old shop" });
    await carryToD1();
    daysLater(29);
    await acknowledged([call("daily")]);
    expect(await names()).toEqual(["daily", "work", "yearly"]);
    daysLater(2);
    expect(await names()).toEqual(["daily"]);
    expect(await names("?silent=include")).toEqual(["daily", "work", "yearly"]);
    expect(await names("?from=-90d")).toEqual(["daily", "work", "yearly"]);
    expect(await names("?from=-1d")).toEqual(["daily"]);
    const services = async (query = "") =>
      (await getJson<ServiceList>(`/services${query}`)).services.map((row) => row.service);
    expect(await services()).toEqual(["shop"]);
    expect(await services("?silent=include")).toEqual(["old shop", "shop"]);
    expect(await (await get("/metrics?format=prometheus")).text()).not.toContain("yearly");
    expect(await getJson("/metrics/shop/yearly")).toMatchObject({ totals: { calls: 1 } });
    await acknowledged([call("yearly")]);
    expect(await calls()).toEqual({ daily: 2, yearly: 2 });
  });

  it("frees its place under the cap", async () => {
    const many = Array.from({ length: bufferLimits.functionsPerService }, (_, i) => call(`order ${i}`));
    await acknowledged(many);
    await acknowledged([call("new")]);
    expect(await overflow()).toEqual(["shop"]);
    daysLater(20);
    await acknowledged([call("order 0")]);
    daysLater(15);
    await acknowledged([call("new"), call("order 0")]);
    expect(await overflow()).toEqual([]);
    expect(await calls()).toMatchObject({ new: 1, "order 0": 3 });
  });
});

it("a function's last day is noted", async () => {
  const lastDayAfter = async (send: () => Promise<unknown>) => {
    await send();
    const { seen_on } = await runInDurableObject(buffer(), (_, { storage: { sql } }) =>
      sql.exec<{ seen_on: number }>("SELECT seen_on FROM known_functions").one(),
    );
    return seen_on;
  };
  const today = Math.floor(Date.now() / DAY);
  expect(await lastDayAfter(() => acknowledged([call("a")]))).toBe(today);
  daysLater(1);
  expect(await lastDayAfter(() => acknowledged([call("a")]))).toBe(today + 1);
});
