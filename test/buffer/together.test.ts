/** Batches that arrive in one turn of the buffer. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { RecordedBatch } from "../../src/buffer/interface.ts";
import { limits } from "../../src/limits.ts";
import { delta } from "../flushes.ts";
import { withOneTurn } from "../model/turn.ts";
import { buffer, calls } from "../worker.ts";

let batches = 0;

/** Of one call, which takes about as many bytes as given. */
function batchOf(name: string, bytes = 0): RecordedBatch {
  const failures = [{ name: "Error", message: `${name} `.padEnd(bytes, "x"), calls: 1 }];
  const deltas = JSON.stringify([{ ...delta(Date.now(), { name, errors: 1 }), failures }]);
  return {
    service: "shop",
    key: `together:${++batches}`,
    digest: "00".repeat(32),
    items: 1,
    deltas,
    bytes: deltas.length,
    functions: [`\n${name}`],
    answer: { accepted: 1, rejected: 0, reasons: [] },
    rejected: {},
  };
}

async function record(all: RecordedBatch[]): Promise<string[]> {
  const outcomes = await withOneTurn("ends well", () =>
    Promise.allSettled(all.map((batch) => buffer().recordBatch(batch))),
  );
  return outcomes.map((outcome) => (outcome.status === "fulfilled" ? outcome.value.status : "rejected"));
}

const rows = <Row extends Record<string, SqlStorageValue>>(query: string) =>
  runInDurableObject(buffer(), (_, { storage: { sql } }) => sql.exec<Row>(query).toArray());

describe("batches that arrive together", () => {
  it("are merged into one row", async () => {
    expect(await record(Array.from({ length: 8 }, () => batchOf("work")))).toEqual(Array(8).fill("recorded"));
    const stored = await rows<{ items: number; bytes: number; size: number }>(
      "SELECT items, bytes, length(deltas) AS size FROM pending",
    );
    expect(stored.reduce((sum, { items }) => sum + items, 0)).toBe(8);
    expect(stored.length).toBeLessThan(8);
    for (const { bytes, size } of stored) expect(bytes).toBe(size);
    expect(await calls()).toEqual({ work: 8 });
  });

  it("make no row larger than the largest batch", async () => {
    const large = Array.from({ length: 4 }, (_, i) => batchOf(`large${i}`, limits.storedBatchBytes * 0.4));
    expect(await record(large)).toEqual(Array(4).fill("recorded"));
    const [largest] = await rows<{ bytes: number }>("SELECT max(bytes) AS bytes FROM pending");
    expect(largest!.bytes).toBeLessThanOrEqual(limits.storedBatchBytes);
    expect(await calls()).toEqual({ large0: 1, large1: 1, large2: 1, large3: 1 });
  });

  it("fill the buffer as if they came one by one", async () => {
    const size = Math.floor(limits.pendingBytes / 6);
    const outcomes = await record(Array.from({ length: 8 }, () => batchOf("work", size)));
    expect(outcomes.toSorted()).toEqual([
      ...Array<string>(3).fill("overloaded"),
      ...Array<string>(5).fill("recorded"),
    ]);
    expect(await calls()).toEqual({ work: 5 });
  });

  it("are all stored, and known, beside one that cannot be", async () => {
    const broken = { ...batchOf("broken"), deltas: null as unknown as string };
    expect(await record([batchOf("a"), broken, batchOf("b")])).toEqual(["recorded", "rejected", "recorded"]);
    expect(await buffer().health()).toMatchObject({ bufferedSamples: 2 });
    expect(await rows("SELECT name FROM known_functions ORDER BY name")).toEqual([
      { name: "a" },
      { name: "b" },
    ]);
    await evictDurableObject(buffer());
    expect(await buffer().health()).toMatchObject({ bufferedSamples: 2 });
    expect(await calls()).toEqual({ a: 1, b: 1 });
  });
});
