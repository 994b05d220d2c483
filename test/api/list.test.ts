import { describe, expect, it } from "vitest";
import { listFunctions, ListParameters, type FunctionList } from "../../src/api/list-functions.ts";
import { dbWith, envWith } from "../faults.ts";
import { delta, inD1 } from "../flushes.ts";
import { acknowledged, carryToD1, getJson } from "../worker.ts";

const HOUR = 3_600_000;
const list = (query: string) => getJson<FunctionList>(`/metrics${query}`);
const names = async (query: string) => (await list(query)).functions.map((row) => row.function);

describe("GET /metrics", () => {
  it("shows each function since the beginning, whether its calls are in D1 or in the buffer", async () => {
    const at = Date.now() - HOUR;
    await acknowledged([{ function: "chargeCard", module: "pay", durationMs: 8, at }]);
    await carryToD1();
    await acknowledged([
      { function: "chargeCard", module: "pay", durationMs: 2, at: at + 1, error: { name: "E", message: "" } },
    ]);
    expect(await list("")).toEqual({
      functions: [
        {
          service: "shop",
          module: "pay",
          function: "chargeCard",
          calls: 2,
          errors: 1,
          errorRate: 0.5,
          averageMs: 5,
          minMs: 2,
          maxMs: 8,
          unmeasured: 0,
          p50Ms: 2,
          p90Ms: expect.closeTo(8, 0),
          p95Ms: expect.closeTo(8, 0),
          p99Ms: expect.closeTo(8, 0),
          firstSeen: new Date(at).toISOString(),
          lastSeen: new Date(at + 1).toISOString(),
        },
      ],
      cursor: null,
      next: null,
    });
  });

  it("filters by service, name, prefix of a name, and words", async () => {
    await acknowledged([
      { function: "chargeCard", module: "pay/stripe", durationMs: 1 },
      { function: "charge*", durationMs: 1 },
      { function: "refund", durationMs: 1 },
    ]);
    await carryToD1();
    await acknowledged([{ function: "Élan", durationMs: 1 }], { service: "post" });
    expect(await names("?service=post")).toEqual(["Élan"]);
    expect(await names("?function=refund")).toEqual(["refund"]);
    expect(await names("?function=ref")).toEqual([]);
    expect(await names("?function=charge*")).toEqual(["charge*", "chargeCard"]);
    expect(await names("?function=charge\\*")).toEqual(["charge*"]);
    expect(await names("?function=charge\\**")).toEqual(["charge*"]);
    expect(await names("?function=char\\*")).toEqual([]);
    expect(await names("?q=CARD%20stripe")).toEqual(["chargeCard"]);
    expect(await names("?q=%C3%A9lan")).toEqual(["Élan"]);
    expect(await names("?q=%25")).toEqual([]);
  });

  it("sorts by any number with nulls last, and has pages without gaps or repeats", async () => {
    await acknowledged([
      { function: "cpu", durationMs: 0 },
      { function: "b", durationMs: 3 },
      { function: "c", durationMs: 1 },
      { function: "d", durationMs: 2 },
      { function: "e", durationMs: 2 },
    ]);
    expect(await names("?sort=averageMs")).toEqual(["b", "d", "e", "c", "cpu"]);
    expect(await names("?sort=averageMs&order=asc")).toEqual(["c", "d", "e", "b", "cpu"]);
    for (const sort of ListParameters.shape.sort.unwrap().options) {
      const query = `?sort=${sort}${sort === "callsPerSecond" ? "&from=-1h" : ""}`;
      const paged: string[] = [];
      let page = await list(`${query}&limit=2`);
      paged.push(...page.functions.map((row) => row.function));
      while (page.cursor) {
        expect(page.next).toBe(page.cursor);
        page = await list(`?limit=2&cursor=${page.cursor}${sort === "callsPerSecond" ? "&from=-1h" : ""}`);
        paged.push(...page.functions.map((row) => row.function));
      }
      expect(paged).toEqual(await names(query));
      expect(paged).toHaveLength(5);
    }
  });

  it("counts the calls of a range with their rate, and lists silent functions", async () => {
    const now = Math.floor(Date.now() / HOUR) * HOUR;
    await inD1(delta(now - 3 * HOUR, { calls: 5 }), delta(now - HOUR, { calls: 60, errors: 6 }));
    await inD1(delta(now - 30 * HOUR, { name: "old" }));
    await acknowledged([{ function: "a", durationMs: 10, at: now - HOUR }]);
    await acknowledged([{ function: "new", durationMs: 10, at: now - HOUR }]);
    await acknowledged([{ function: "a", durationMs: 10, at: now - 3 * HOUR }]);
    const range = `from=${now - 2 * HOUR}&to=${now}`;
    const { functions, from, to } = await list(`?${range}`);
    expect([from, to]).toEqual([new Date(now - 2 * HOUR), new Date(now)].map((time) => time.toISOString()));
    expect(functions).toMatchObject([
      { function: "a", calls: 61, errors: 6, errorRate: 0.0983607, callsPerSecond: 0.00847222, minMs: 10 },
      { function: "new", calls: 1 },
      { function: "old", calls: 0, errorRate: null, averageMs: null, p99Ms: null, callsPerSecond: 0 },
    ]);
    expect((await list(`?${range}&points=2&function=a`)).functions[0]).toMatchObject({
      sparkline: { calls: [0, 61], errors: [0, 6] },
    });
    // The steps are rounded up, but the sums are still those of the range.
    const within = `from=${now - 1.5 * HOUR}&to=${now}`;
    expect((await list(`?${within}&points=2&function=a`)).functions[0]).toMatchObject({
      calls: 61,
      sparkline: { calls: [0, 61] },
    });
  });

  it("reads many functions over a range in several reads, and misses no call that moves to D1 meanwhile", async () => {
    const at = Date.now() - HOUR;
    const name = (i: number) => `f${String(i).padStart(3, "0")}`;
    await inD1(...Array.from({ length: 100 }, (_, i) => delta(at, { name: name(i), calls: i + 1 })));
    // Before the range. Without them the read knows that a function has few minutes in it, and one read is enough.
    await inD1(...Array.from({ length: 100 }, (_, i) => delta(at - 30 * HOUR, { name: name(i) })));
    await acknowledged(Array.from({ length: 120 }, (_, i) => ({ function: name(i), durationMs: 10, at })));
    let reads = 0;
    const db = dbWith(async (real, statements) => {
      if (reads++ === 1) await carryToD1();
      return real(statements);
    });
    const { functions } = await listFunctions(envWith({ DB: db }), { from: at - 24 * HOUR, limit: 200 });
    expect(reads).toBeGreaterThan(3);
    expect(Object.fromEntries(functions.map((row) => [row.function, row.calls]))).toEqual(
      Object.fromEntries(Array.from({ length: 120 }, (_, i) => [name(i), i < 100 ? i + 2 : 1])),
    );
  });

  it.each([
    ["limit=0", 'The parameter limit is "0". It must be a whole number from 1 to 10000.'],
    ["sort=name", 'The parameter sort is "name". It must be one of calls, errors,'],
    ["order=up", 'The parameter order is "up". It must be one of desc, asc.'],
    ["from=yesterday", 'The parameter from is "yesterday". It must be a time: ISO 8601 such as'],
    ["from=2026-02-30T25:00Z", "It must be a time"],
    ["from=-1h&to=-2h", "It must be before to ("],
    ["to=-2h", "The parameter from is missing. It must be given if `to` is given."],
    ["cursor=abc", 'The parameter cursor is "abc". It must be the `cursor` of the page before.'],
    ["sort=callsPerSecond", "It must be left out, or given together with a range (from)."],
    ["points=5", "It must be left out, or given together with a range (from)."],
    ["form=-1h", 'There is no parameter "form" here. This route takes format, service, function, q,'],
    ["limit=1&limit=2", 'The parameter limit is ["1","2"]. It must be given once.'],
  ])("refuses ?%s with a sentence that helps", async (query, message) => {
    const { error } = await getJson<{ error: { message: string } }>(`/metrics?${query}`, 400);
    expect(error.message).toContain(message);
  });
});
