/** Reads what a collector has not delivered, and gives it what an earlier process has left. */
import { type Batch, makeBatch } from "../batch.ts";
import { now, wallNow } from "../clock.ts";
import { MAX_BATCH_LENGTH, MAX_LEAVING_LENGTH } from "../limits.ts";
import { type Outbox, takeUpTo } from "../outbox.ts";
import { isPage } from "../platform.ts";
import type { Reporter } from "../reporter.ts";
import type { Timeline } from "../timeline.ts";

/** The parts of a collector that a spool gets. */
export interface Parts {
  readonly outbox: Outbox;
  readonly timeline: Timeline;
  readonly reporter: Reporter;
}

/** WARNING: the server counts a batch once by its key. Never change its JSON or its key. */
export interface StoredBatch {
  readonly key: string;
  readonly json: string;
  /** The calls of each sample. */
  readonly calls: readonly number[];
  /** When the batch was made, in epoch milliseconds. */
  readonly madeAt: number;
}

/**
 * Everything that is unsent: batches, and the sums that are in none, as batches with the keys that they will be sent with.
 * So the server counts them once, whichever process sends them.
 */
export function readUnsent({ outbox, timeline }: Parts): StoredBatch[] {
  const rest = [...outbox.sums, ...Array.from(timeline.open, (sum) => sum.snapshot())];
  const next: Batch[] = [];
  while (rest.length) {
    const key = outbox.keyAt(next.length);
    const taken = takeUpTo(isPage() ? MAX_LEAVING_LENGTH : MAX_BATCH_LENGTH, rest);
    next.push(makeBatch(key, rest.splice(0, taken.length), outbox.restOf(key)));
  }
  return [...outbox.batches, ...next].map(({ key, json, sums, madeMs }) => ({
    key,
    json,
    calls: sums.map(({ calls }) => calls),
    madeAt: wallNow() - (now() - madeMs),
  }));
}

/** Adds batches of an earlier process. Their calls count as seen, and as pending. */
export function restore({ outbox, timeline }: Parts, stored: readonly StoredBatch[]): void {
  const known = new Set(Array.from(outbox.batches, ({ key }) => key));
  for (const { key, json, calls, madeAt } of stored) {
    if (known.has(key)) continue;
    const madeMs = now() - Math.max(0, wallNow() - madeAt);
    const sums = calls.map((each) => ({ json: "", calls: each, wallMs: madeAt, monotonicMs: madeMs }));
    const batch: Batch = { key, json, sums, madeMs, inFlightUntilMs: 0 };
    outbox.batches.add(batch);
    for (const { calls: each } of sums) timeline.seen += each;
  }
}

/** Changes whenever something is to be stored anew. */
function versionOf({ outbox, timeline }: Parts): string {
  const { seen, acknowledged, pending } = outbox.stats(timeline.seen);
  return [seen, acknowledged, pending, ...Array.from(outbox.batches, ({ key }) => key)].join();
}

/** Stores what is unsent if it has changed. Never throws. */
export function createStore(parts: Parts, write: (stored: readonly StoredBatch[]) => void): () => void {
  let written = "0,0,0";
  return () => {
    try {
      const version = versionOf(parts);
      if (version === written) return;
      write(readUnsent(parts));
      written = version;
    } catch (error) {
      parts.reporter.reportError("spool", `The spool cannot be written: ${String(error)}`);
    }
  };
}
