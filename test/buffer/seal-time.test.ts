import { describe, expect, it } from "vitest";
import { bufferLimits as limits } from "../../src/buffer/limits.ts";
import { type SealConditions, sealTime } from "../../src/buffer/seal-time.ts";

const now = 1_000_000;
const oldestAt = now - 10_000;
const waited = oldestAt + 300_000;

function sealAt({
  onTheWay = 0,
  deletions = 0,
  ...pending
}: Partial<SealConditions["pending"] & { onTheWay: number; deletions: number }> = {}): number | null {
  return sealTime({
    pending: { items: 1, freshBytes: 100, bytes: 100, hasLeftover: false, oldestAt, ...pending },
    onTheWay,
    deletions,
    configuration: { maxItems: 10, maxWaitingMs: 300_000 },
    limits,
    now,
  });
}

describe("pending deltas are sealed", () => {
  it("MAX_WAITING_TIME after the oldest sample", () => {
    expect(sealAt()).toBe(waited);
    expect(sealAt({ onTheWay: limits.unconfirmedFlushes - 1 })).toBe(waited);
  });

  it("not while a deletion is unconfirmed, except to merge much of it in place", () => {
    expect(sealAt({ deletions: 1 })).toBeNull();
    expect(sealAt({ deletions: 1, items: 10 })).toBeNull();
    expect(sealAt({ deletions: 1, freshBytes: limits.flushedEarlyBytes })).toBe(now);
  });

  it("at once from MAX_ITEMS samples on, if no flush is unconfirmed", () => {
    expect(sealAt({ items: 9 })).toBe(waited);
    expect(sealAt({ items: 10 })).toBe(now);
    expect(sealAt({ items: 10, onTheWay: 1 })).toBe(waited);
  });

  it("at once if an earlier seal left some behind and there is room again", () => {
    expect(sealAt({ hasLeftover: true, onTheWay: limits.unconfirmedFlushes - 1 })).toBe(now);
  });

  it("not while too many flushes are unconfirmed: a confirmation decides again", () => {
    expect(sealAt({ onTheWay: limits.unconfirmedFlushes })).toBeNull();
    expect(sealAt({ hasLeftover: true, onTheWay: limits.unconfirmedFlushes })).toBeNull();
  });

  it("at once from a certain size on, even without room, so that they merge in place", () => {
    const freshBytes = limits.flushedEarlyBytes;
    expect(sealAt({ freshBytes: freshBytes - 1 })).toBe(waited);
    expect(sealAt({ freshBytes, onTheWay: limits.unconfirmedFlushes })).toBe(now);
  });
});
