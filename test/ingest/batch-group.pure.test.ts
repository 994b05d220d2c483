/** Which batches go to the buffer together, and what they merge to. Pure code. */
import { describe, expect, it } from "vitest";
import type { Batch } from "../../src/ingest/batch.ts";
import { GroupRoom, mergeBatches } from "../../src/ingest/batch-group.ts";
import { ingestLimits } from "../../src/ingest/limits.ts";
import { sumSamples } from "../../src/ingest/samples/sum-samples.ts";

const NOW = Date.UTC(2026, 5, 1, 12);

function batchOf(samples: unknown[], more: Partial<Batch> = {}): Batch {
  return { service: "shop", key: null, digest: "", weight: 1, ...sumSamples("shop", samples, NOW), ...more };
}

const call = { function: "work", durationMs: 1 };

describe("a group has room", () => {
  const { bodyBytesPerGroup, batchesPerGroup, deltasPerGroup } = ingestLimits;

  it("for a first batch of any size, and then for none if it is too large", () => {
    const room = new GroupRoom();
    expect(room.take(batchOf([call], { weight: bodyBytesPerGroup + 1 }))).toBe(true);
    expect(room.take(batchOf([call], { weight: 1 }))).toBe(false);
  });

  it("up to its weight", () => {
    const room = new GroupRoom();
    expect(room.take(batchOf([call], { weight: bodyBytesPerGroup - 2 }))).toBe(true);
    expect(room.take(batchOf([call], { weight: 3 }))).toBe(false);
    expect(room.take(batchOf([call], { weight: 2 }))).toBe(true);
    expect(room.take(batchOf([call], { weight: 1 }))).toBe(false);
  });

  it("up to its number of batches", () => {
    const room = new GroupRoom();
    const taken = Array.from({ length: batchesPerGroup + 1 }, () => room.take(batchOf([call])));
    expect(taken.lastIndexOf(true)).toBe(batchesPerGroup - 1);
  });

  it("up to its number of deltas", () => {
    const room = new GroupRoom();
    const { deltas } = batchOf([call]);
    const of = (count: number) => batchOf([], { deltas: Array.from({ length: count }, () => deltas[0]!) });
    expect([deltasPerGroup - 1, 2, 1, 1].map((count) => room.take(of(count)))).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  it("once for each key, and for any number of batches without a key", () => {
    const room = new GroupRoom();
    const keys = ["a", "b", "a", null, null, "b", "c"];
    expect(keys.map((key) => room.take(batchOf([call], { key })))).toEqual([
      true,
      true,
      false,
      true,
      true,
      false,
      true,
    ]);
  });
});

it("batches merge into one delta for each function and minute, and keep their own answers", () => {
  const bad = { function: "work", durationMs: -1 };
  const old = { ...call, at: 0 };
  const first = batchOf([call, { ...call, module: "é" }, bad], { key: "k", digest: "d1" });
  const second = batchOf([call, bad, old], { digest: "d2" });
  const group = mergeBatches([first, second]);
  expect(group).toMatchObject({
    service: "shop",
    batches: [
      { key: "k", digest: "d1", answer: first.answer },
      { key: null, digest: "d2", answer: second.answer },
    ],
    functions: ["\nwork", "é\nwork"],
    rejected: { invalid: 2, too_late: 1 },
  });
  expect(JSON.parse(group.deltas)).toMatchObject([
    { module: "", calls: 2 },
    { module: "é", calls: 1 },
  ]);
  // One character of two bytes.
  expect(group.bytes).toBe(group.deltas.length + 1);
});
