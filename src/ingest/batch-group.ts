/** Forms groups of batches of one service. The buffer records a group in one transaction and one row. */
import type { BatchGroup } from "../buffer/interface.ts";
import { byteLength } from "../byte-length.ts";
import { mergeDeltas } from "../stats/delta.ts";
import type { Batch } from "./batch.ts";
import { ingestLimits } from "./limits.ts";
import { keyWithinService } from "../stats/series-id.ts";

/** The part of a batch that decides whether it fits a group. */
type Size = Pick<Batch, "key" | "deltas" | "weight">;

/** Tells which batches may still join a group. */
export class GroupRoom {
  readonly #keys = new Set<string>();
  #batches = 0;
  #deltas = 0;
  #weight = 0;

  /** Takes a batch if it fits. The first batch always fits. A second batch under the same key never does. */
  take({ key, deltas, weight }: Size): boolean {
    const isFull =
      this.#batches >= ingestLimits.batchesPerGroup ||
      this.#deltas + deltas.length > ingestLimits.deltasPerGroup ||
      this.#weight + weight > ingestLimits.bodyBytesPerGroup;
    const isRepeated = key !== null && this.#keys.has(key);
    if (this.#batches > 0 && (isFull || isRepeated)) return false;
    if (key !== null) this.#keys.add(key);
    this.#batches++;
    this.#deltas += deltas.length;
    this.#weight += weight;
    return true;
  }
}

/** Merges batches of one service into the argument of the buffer's `recordGroup`. */
export function mergeBatches(batches: readonly Batch[]): BatchGroup {
  const merged = mergeDeltas(batches.flatMap(({ deltas }) => deltas));
  const deltas = JSON.stringify(merged);
  return {
    service: batches[0]!.service,
    batches: batches.map(({ key, digest, answer }) => ({ key, digest, answer })),
    deltas,
    bytes: byteLength(deltas),
    functions: [...new Set(merged.map((delta) => keyWithinService(delta.module, delta.function)))],
    rejected: addUp(batches.map(({ rejected }) => rejected)),
  };
}

function addUp(all: readonly Record<string, number>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const counts of all) {
    for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count;
  }
  return sums;
}
