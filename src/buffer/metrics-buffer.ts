/**
 * The buffer: a Durable Object that stores batches before they are acknowledged, and seals what it has into flushes
 * for the queue. `recordGroup` stores and sets the alarm; the alarm seals and sends; `confirm` forgets. Memory holds
 * nothing that storage does not: the object may vanish at any line.
 */
import { DurableObject } from "cloudflare:workers";
import { readConfiguration } from "../configuration.ts";
import { limits } from "../limits.ts";
import { log, logError } from "../log.ts";
import { mergeDeltas } from "../stats/delta.ts";
import { IdempotencyStore, type FirstUse, hasKey } from "./idempotency-store.ts";
import { byteLength } from "../byte-length.ts";
import { chunkDeltas } from "./chunk-deltas.ts";
import { Identity } from "./identity.ts";
import type { BatchGroup, BufferHealth, RecordResult, SnapshotCursor, SnapshotPage } from "./interface.ts";
import { KnownFunctions, OVERFLOW, withOverflow } from "./known-functions.ts";
import { type DeadLetter, Outbox, type SealedFlush } from "./outbox.ts";
import { Pending } from "./pending.ts";
import { Rejections } from "./rejections.ts";
import { sendFlushes } from "./send.ts";

/** Of a queue message's 128 KB; the rest is for its envelope. */
const FLUSH_BYTES = 120_000;
/** Of what is sealed and of what is pending, each; an RPC answer may carry 32 MiB. */
const SNAPSHOT_PAGE_BYTES = 4 * 1024 * 1024;
/** An alarm that is overdue by this much was dropped by the platform: it is set anew. */
const STALE_ALARM_MS = 10_000;
/** After a first failure of the alarm; each further one in a row waits twice as long, up to the longest. */
const RETRY_AFTER_FAULT_MS = 30_000;
const LONGEST_BACKOFF_MS = 60 * 60 * 1000;

function resultOf({ isSame, answer }: FirstUse): RecordResult {
  return isSame ? { status: "duplicate", answer } : { status: "conflict" };
}

export class MetricsBuffer extends DurableObject<Env> {
  readonly #identity: Identity;
  readonly #idempotency: IdempotencyStore;
  readonly #functions: KnownFunctions;
  readonly #pending: Pending;
  readonly #outbox: Outbox;
  readonly #rejections: Rejections;
  /** When the alarm rings, in epoch milliseconds, as storage has it. */
  #alarmAt: number | null = null;
  /** Alarms in a row that failed. */
  #faults = 0;
  /** Changes whenever `pending` is rewritten, so that a paged snapshot notices. */
  #generation = crypto.randomUUID();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const { sql } = ctx.storage;
    this.#identity = new Identity(sql, ctx.id.name ?? "");
    this.#idempotency = new IdempotencyStore(sql);
    this.#functions = new KnownFunctions(sql);
    this.#pending = new Pending(sql);
    this.#outbox = new Outbox(sql);
    this.#rejections = new Rejections(sql);
    void ctx.blockConcurrencyWhile(async () => {
      this.#alarmAt = await ctx.storage.getAlarm();
    });
  }

  /**
   * Stores a group of batches, each under its key; the answer leaves once that is durable. Gives the results in the order of
   * the batches.
   */
  recordGroup(group: BatchGroup): RecordResult[] {
    const now = Date.now();
    const results = this.#recordAtOnce(group, now);
    this.#setAlarm(now);
    return results;
  }

  /** A batch that cannot be stored is not the trouble of the others. */
  #recordAtOnce(group: BatchGroup, now: number): RecordResult[] {
    try {
      return this.#atOnce(() => this.#record(group, now));
    } catch (error) {
      if (group.batches.length === 1) throw error;
      return group.batches.map(() => ({ status: "send_again" }));
    }
  }

  #record({ service, batches, deltas, bytes, functions, rejected }: BatchGroup, now: number): RecordResult[] {
    // Before it is asked for room, since it makes some.
    this.#idempotency.turnTo(now);
    const keyed = batches.filter(hasKey);
    const firstUses = this.#idempotency.firstUses(service, keyed);
    if (firstUses.size > 0) {
      return batches.map(({ key }) => {
        const first = key === null ? undefined : firstUses.get(key);
        return first ? resultOf(first) : { status: "send_again" };
      });
    }
    if (!this.#hasRoom(service, bytes)) {
      const status = batches.length === 1 ? "overloaded" : "send_again";
      return batches.map(() => ({ status }));
    }
    const admission = this.#functions.admit(service, functions);
    this.#idempotency.add(service, keyed, this.#quotaOwnerOf(service), now);
    this.#rejections.add(rejected);
    const items = batches.reduce((sum, { answer }) => sum + answer.accepted, 0);
    if (items > 0) {
      this.#functions.remember(admission.service, admission.fresh);
      const admitted = withOverflow(deltas, admission);
      this.#pending.add(items, admitted, admitted === deltas ? bytes : byteLength(admitted), now);
    }
    return batches.map(() => ({ status: "recorded" }));
  }

  /** All of it or nothing, in storage as in what is known of it in memory. */
  #atOnce<T>(write: () => T): T {
    try {
      return this.ctx.storage.transactionSync(write);
    } catch (error) {
      for (const part of [this.#identity, this.#idempotency, this.#functions, this.#pending]) part.reload();
      throw error;
    }
  }

  #hasRoom(service: string, bytes: number): boolean {
    return (
      this.#pending.state.bytes + bytes <= limits.pendingBytes &&
      this.#outbox.summary.bytes <= limits.unconfirmedBytes &&
      !this.#idempotency.isFull(this.#quotaOwnerOf(service))
    );
  }

  /** At whose expense a service's keys are kept. */
  #quotaOwnerOf(service: string): string {
    return this.#functions.knows(service) ? service : OVERFLOW;
  }

  /** Forgets flushes that D1 has. Those of another epoch are none of this buffer's. */
  confirm(epoch: string, ns: readonly number[]): void {
    if (epoch !== this.#identity.epoch) return;
    this.#outbox.remove(ns);
    this.#setAlarm(Date.now());
  }

  /** Marks a flush that D1 keeps refusing. It stays, counts in reads, and is tried again hourly. */
  markDead(epoch: string, n: number, reason: string): void {
    if (epoch !== this.#identity.epoch) return;
    this.#outbox.markDead(n, reason, Date.now());
    this.#setAlarm(Date.now());
  }

  deadLetters(): DeadLetter[] {
    const { epoch } = this.#identity;
    return this.#outbox.deadLetters().map((letter) => ({ epoch, ...letter }));
  }

  /** What a dead letter holds, as a JSON array of `Delta`; null where there is none of that id. */
  deadDeltas(epoch: string, n: number): string | null {
    return epoch === this.#identity.epoch ? (this.#outbox.deadDeltas(n) ?? null) : null;
  }

  /** Sends a dead letter at once. False where there is none of that id. */
  replay(epoch: string, n: number): boolean {
    const now = Date.now();
    const isKnown = epoch === this.#identity.epoch && this.#outbox.replay(n, now);
    if (isKnown) this.#setAlarm(now);
    return isKnown;
  }

  /** "changed" means that pages given before no longer fit together: start over. */
  snapshot(cursor: SnapshotCursor | null = null): SnapshotPage | { status: "changed" } {
    if (cursor && cursor.generation !== this.#generation) return { status: "changed" };
    const { epoch, next } = this.#identity;
    const sealed = this.#outbox.page(cursor?.afterN ?? 0, SNAPSHOT_PAGE_BYTES);
    const pending = sealed.isLast
      ? this.#pending.page(cursor?.afterId ?? 0, SNAPSHOT_PAGE_BYTES)
      : { rows: [], isLast: false };
    return {
      status: "page",
      epoch,
      next,
      sealed: sealed.rows.map(({ n, deltas }) => ({ n, deltas })),
      pending: pending.rows.map(({ deltas }) => deltas),
      cursor: pending.isLast
        ? null
        : {
            generation: this.#generation,
            afterN: sealed.rows.at(-1)?.n ?? cursor?.afterN ?? 0,
            afterId: pending.rows.at(-1)?.id ?? cursor?.afterId ?? 0,
          },
    };
  }

  /**
   * Every flush of this epoch below this id is settled: D1 has it, or a person dropped it. Asked hourly, it also sets
   * the alarm again that the platform dropped while no batch came.
   */
  settledBelow(): { epoch: string; n: number } {
    this.#setAlarm(Date.now());
    const { epoch, next } = this.#identity;
    return { epoch, n: this.#outbox.summary.lowest ?? next };
  }

  health(): BufferHealth {
    const { items, bytes, oldestAt } = this.#pending.state;
    const { unconfirmed, dead, oldestSealedAt } = this.#outbox.summary;
    return {
      bufferedSamples: items,
      bufferedBytes: bytes,
      oldestBufferedAt: oldestAt,
      oldestUnconfirmedAt: oldestSealedAt,
      unconfirmedFlushes: unconfirmed,
      deadLetters: dead,
      overflow: this.#functions.overflowing(),
      epoch: this.#identity.epoch,
      rejectedSamples: this.#rejections.counts(),
    };
  }

  /**
   * Seals what is due and sends it, with what was not confirmed in time. It never throws for a fault that may pass:
   * the platform drops an alarm that keeps throwing.
   */
  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    const now = Date.now();
    let isSetAgain = false;
    try {
      const due = this.#outbox.takeDue(now);
      if (due.length > 0) log("resent", { flushes: due.map(({ n }) => n) });
      const flushes = [...due, ...this.#sealIfDue(now)];
      this.#setAlarm(now);
      isSetAgain = true;
      await sendFlushes(this.env.QUEUE, this.#identity, flushes);
      this.#faults = 0;
    } catch (error) {
      // What was sealed is in the outbox, and due again later.
      logError("flush_failed", error);
      const backoffMs = Math.min(RETRY_AFTER_FAULT_MS * 2 ** this.#faults++, LONGEST_BACKOFF_MS);
      // A confirmation may have removed it meanwhile, since there is nothing left to do.
      if (!isSetAgain) this.#alarmIs(now + backoffMs);
    }
  }

  #sealIfDue(now: number): SealedFlush[] {
    const sealAt = this.#sealAt(now);
    return sealAt !== null && sealAt <= now ? this.#seal(now) : [];
  }

  /** Merges what is pending, and moves as much of it into flushes as may be on their way. */
  #seal(now: number): SealedFlush[] {
    const room = Math.max(0, limits.unconfirmedFlushes - this.#onTheWay());
    const { items } = this.#pending.state;
    const parts = chunkDeltas(mergeDeltas(this.#pending.deltas()), FLUSH_BYTES);
    const flushes = parts.slice(0, room).map((deltas, i) => ({ n: this.#identity.next + i, deltas }));
    this.#atOnce(() => {
      for (const { n, deltas } of flushes) this.#outbox.add(n, deltas, now);
      this.#identity.advance(flushes.length);
      this.#pending.replaceWith(parts.slice(room));
    });
    this.#generation = crypto.randomUUID();
    log("sealed", {
      samples: items,
      flushes: flushes.map(({ n }) => n),
      leftBehind: parts.length - flushes.length,
    });
    return flushes;
  }

  /** How many flushes D1 is to confirm soon. */
  #onTheWay(): number {
    const { unconfirmed, dead } = this.#outbox.summary;
    return unconfirmed - dead;
  }

  /** When what is pending should be sealed or, without room, merged in place; null where nothing should. */
  #sealAt(now: number): number | null {
    const { items, freshBytes, hasLeftover, oldestAt } = this.#pending.state;
    if (oldestAt === null) return null;
    const { maxItems, maxWaitingMs } = readConfiguration(this.env);
    if (freshBytes >= limits.flushedEarlyBytes) return now;
    const onTheWay = this.#onTheWay();
    // One after the other: at a rate that fills flushes faster than D1 takes them, they become larger, not more.
    if (items >= maxItems && onTheWay === 0) return now;
    // Without room only a confirmation helps, and it sets the alarm itself.
    if (onTheWay >= limits.unconfirmedFlushes) return null;
    return hasLeftover ? now : oldestAt + maxWaitingMs;
  }

  /** Sets the alarm to the next thing to do, or removes it where there is none: an empty buffer has no alarm. */
  #setAlarm(now: number): void {
    const times = [this.#sealAt(now), this.#outbox.summary.nextDue].filter((time) => time !== null);
    if (times.length === 0) {
      if (this.#alarmAt !== null) {
        this.#alarmAt = null;
        void this.ctx.storage.deleteAlarm();
      }
      return;
    }
    const at = Math.min(...times);
    const isStale = this.#alarmAt !== null && this.#alarmAt < now - STALE_ALARM_MS;
    if (this.#alarmAt === null || this.#alarmAt > at || isStale) this.#alarmIs(Math.max(at, now));
  }

  #alarmIs(at: number): void {
    this.#alarmAt = at;
    void this.ctx.storage.setAlarm(at);
  }
}
