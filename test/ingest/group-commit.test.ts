/** The moments at which groups of batches open and close. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Batch } from "../../src/ingest/batch.ts";
import { recordTogether } from "../../src/ingest/group-commit.ts";
import { ingestLimits } from "../../src/ingest/limits.ts";
import { sumSamples } from "../../src/ingest/samples/sum-samples.ts";
import { buffer } from "../worker.ts";

function batchOf(key: string | null): Batch {
  const sum = sumSamples("shop", [{ function: "work", durationMs: 1 }], Date.now());
  return { service: "shop", key, digest: "", weight: 1, ...sum };
}

/** Callbacks that wait for the next turn of the event loop. Tests run them. */
let turns: (() => void)[] = [];
const real = globalThis.setImmediate;
beforeEach(() => {
  turns = [];
  globalThis.setImmediate = ((callback: () => void) =>
    turns.push(callback)) as unknown as typeof setImmediate;
});
afterEach(() => {
  globalThis.setImmediate = real;
});

function itemsPerRow(): Promise<number[]> {
  return runInDurableObject(buffer(), (_, { storage: { sql } }) =>
    sql
      .exec<{ items: number }>("SELECT items FROM pending ORDER BY id")
      .toArray()
      .map(({ items }) => items),
  );
}

it("batches join a group during two turns of the event loop", async () => {
  const first = recordTogether(env, batchOf(null));
  turns.shift()!();
  const second = recordTogether(env, batchOf(null));
  expect(turns).toHaveLength(1);
  turns.shift()!();
  expect(await Promise.all([first, second])).toEqual([{ status: "recorded" }, { status: "recorded" }]);
  expect(await itemsPerRow()).toEqual([2]);
});

it("a group that closes leaves the next group of its service open", async () => {
  const results = Array.from({ length: ingestLimits.batchesPerGroup + 1 }, () =>
    recordTogether(env, batchOf(null)),
  );
  const [closeFull, closeNext] = [turns[0]!, turns[1]!];
  expect(turns).toHaveLength(2);
  closeFull();
  turns[2]!();
  await results[0];
  results.push(recordTogether(env, batchOf(null)));
  expect(turns).toHaveLength(3);
  closeNext();
  turns[3]!();
  await Promise.all(results);
  expect(await itemsPerRow()).toEqual([ingestLimits.batchesPerGroup, 2]);
});
