import { describe, expect, it } from "vitest";
import { query, queryRange } from "../../src/promql/engine.ts";
import { makeLabels } from "../../src/promql/labels.ts";
import { MemorySource } from "../../src/promql/memory-source.ts";

const source = new MemorySource();
for (let series = 0; series < 20; series++) {
  for (let at = 0; at < 100; at++) {
    source.append(makeLabels({ __name__: "m", i: String(series) }), at * 15_000, series * at);
  }
}
const END = 99 * 15_000;

const tooMany = { kind: "execution", message: expect.stringContaining("too many samples") };

describe("a query that", () => {
  it("reads too many samples fails", async () => {
    await expect(query("m", END, source, { maxSamples: 500 })).resolves.toBeDefined();
    await expect(query("m[25m]", END, source, { maxSamples: 500 })).rejects.toMatchObject(tooMany);
  });

  it("makes too many points fails, before it has made them", async () => {
    const options = { maxSamples: 100_000 };
    await expect(query("max_over_time(vector(1)[10y:1ms])", END, source, options)).rejects.toMatchObject(
      tooMany,
    );
    await expect(query("max_over_time(m[1h:1ms])", END, source, options)).rejects.toMatchObject(tooMany);
    const text = 'count_values("v", m * time())';
    const counted = queryRange(text, 0, END, 1500, source, options);
    await expect(counted).rejects.toMatchObject(tooMany);
  });

  it("selects too many series fails", async () => {
    await expect(query("m", END, source, { maxSeries: 19 })).rejects.toMatchObject({
      kind: "execution",
      message: "selector matches more than 19 series, add matchers to it",
    });
  });

  it("asks for too many points fails", async () => {
    await expect(queryRange("m", 0, 101_000, 1000, source, { maxPoints: 100 })).rejects.toMatchObject({
      kind: "bad_data",
    });
  });

  it("needs too many operations fails", async () => {
    const hostile = queryRange("sum(quantile_over_time(0.9, m[25m]))", 0, END, 1000, source, {
      maxOperations: 100_000,
    });
    await expect(hostile).rejects.toMatchObject({ kind: "timeout" });
    const joins = query("m * m * m * m", END, source, { maxOperations: 100_000 });
    await expect(joins).rejects.toMatchObject({ kind: "timeout" });
  });

  it("has a hostile regular expression fails, and does not hang", async () => {
    const long = new MemorySource();
    for (let at = 0; at < 200; at++)
      long.append(makeLabels({ __name__: "m", i: `${at}${"a".repeat(5000)}!` }), 0, 1);
    const outcome = query('m{i=~"(.?){900}(a*\\\\b|.*)*x"}', 0, long);
    await expect(outcome).rejects.toMatchObject({ kind: "timeout" });
  });

  it("is aborted fails, before and during its evaluation", async () => {
    const canceled = { kind: "canceled" };
    await expect(query("m", END, source, { signal: AbortSignal.abort() })).rejects.toMatchObject(canceled);
    const controller = new AbortController();
    const text = Array.from({ length: 30 }, () => "sum(max_over_time(m[25m]))").join(" + ");
    const running = queryRange(text, 0, END, 100, source, {
      maxSamples: 1e9,
      maxPoints: 1e6,
      signal: controller.signal,
      pause() {
        controller.abort();
        return Promise.resolve();
      },
    });
    await expect(running).rejects.toMatchObject(canceled);
  });

  it("takes too long fails", async () => {
    await expect(query("m", END, source, { timeoutMs: -1 })).rejects.toMatchObject({ kind: "timeout" });
  });
});

describe("memory that a query gave back", () => {
  it("does not count against it", async () => {
    const text = Array.from({ length: 50 }, () => "sum(m)").join(" + ");
    await expect(queryRange(text, 0, END, 15_000, source, { maxSamples: 10_000 })).resolves.toBeDefined();
  });
});
