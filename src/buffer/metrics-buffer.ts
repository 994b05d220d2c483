/**
 * The buffer, a Durable Object. It stores batches before they are acknowledged, seals them into flushes, and sends the
 * flushes to the queue again and again until D1 has applied them.
 *
 * `recordGroup` stores batches and sets the alarm. The alarm seals and sends. `confirm` ends that for flushes that D1 has, and `recall`
 * begins it again for those that D1 has lost. Memory
 * holds no calls that storage does not hold too, because the platform may stop the object at any line.
 */
import { DurableObject } from "cloudflare:workers";
import { Alarm } from "../alarm.ts";
import { readConfiguration, readForgetAfterMs, readKeepFlushesMs } from "../configuration.ts";
import type { FlushId, FlushRange } from "../flush.ts";
import { log, logError } from "../log.ts";
import { type Refusal, refusalOf } from "../refusal.ts";
import type { SeriesSelector } from "../stats/series-id.ts";
import { deleteSeries } from "./delete-series.ts";
import { Dropped } from "./dropped.ts";
import { IdempotencyStore } from "./idempotency-store.ts";
import { Identity } from "./identity.ts";
import type {
  BatchGroup,
  BufferHealth,
  Confirmed,
  PointBatch,
  PointResult,
  RecordResult,
  SnapshotCursor,
  SnapshotPage,
} from "./interface.ts";
import { KnownFunctions } from "./known-functions.ts";
import { bufferLimits } from "./limits.ts";
import { type DeadLetter, type DueFlush, Outbox } from "./outbox.ts";
import { Pending } from "./pending.ts";
import { Recorder } from "./record.ts";
import { Refusals } from "./refusals.ts";
import { PointRecorder } from "./record-points.ts";
import { Rejections } from "./rejections.ts";
import { sealPending } from "./seal.ts";
import { sealTime } from "./seal-time.ts";
import { sendFlushes } from "./send.ts";
import { readSnapshotPage } from "./snapshot.ts";
import { StreamStore } from "./stream-store.ts";
import { Transaction } from "./transaction.ts";

export class MetricsBuffer extends DurableObject<Env> {
  readonly #limits = bufferLimits;
  readonly #identity: Identity;
  readonly #functions: KnownFunctions;
  readonly #pending: Pending;
  readonly #outbox: Outbox;
  readonly #dropped: Dropped;
  readonly #rejections: Rejections;
  readonly #refusals: Refusals;
  readonly #transaction: Transaction;
  readonly #recorder: Recorder;
  readonly #pointRecorder: PointRecorder;
  readonly #alarm: Alarm;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const { storage } = ctx;
    const { sql } = storage;
    const limits = this.#limits;
    const idempotency = new IdempotencyStore(sql, limits);
    this.#identity = new Identity(sql, ctx.id.name ?? "");
    this.#functions = new KnownFunctions(sql, limits);
    this.#pending = new Pending(sql);
    this.#outbox = new Outbox(sql, limits, () => this.#keepFlushesMs());
    this.#dropped = new Dropped(sql, limits);
    this.#rejections = new Rejections(sql);
    this.#refusals = new Refusals(sql);
    const streams = new StreamStore(sql, limits);
    this.#transaction = new Transaction(storage, [
      this.#identity,
      idempotency,
      this.#functions,
      this.#pending,
      this.#outbox,
      streams,
    ]);
    const parts = {
      idempotency,
      functions: this.#functions,
      pending: this.#pending,
      outbox: this.#outbox,
      rejections: this.#rejections,
      transaction: this.#transaction,
    };
    const forgetAfterMs = () => readForgetAfterMs(this.env);
    this.#recorder = new Recorder(parts, limits, forgetAfterMs);
    this.#pointRecorder = new PointRecorder({ ...parts, streams }, limits, forgetAfterMs);
    this.#alarm = new Alarm(storage);
    void ctx.blockConcurrencyWhile(() => this.#alarm.load());
  }

  /**
   * Stores a group of batches, each under its key. Returns the results in the order of the batches. The platform holds the
   * answer back until the writes are durable.
   */
  recordGroup(group: BatchGroup): RecordResult[] {
    const now = Date.now();
    const results = this.#recorder.record(group, now);
    this.#scheduleAlarm(now);
    return results;
  }

  /**
   * Stores what cumulative points add to those before them. A point that comes again adds nothing. The platform holds the
   * answer back until the writes are durable.
   */
  recordPoints(batch: PointBatch): PointResult {
    const now = Date.now();
    const result = this.#pointRecorder.record(batch, now);
    this.#scheduleAlarm(now);
    return result;
  }

  /**
   * D1 knows these flushes. Idempotent. Does nothing for an epoch of lost storage.
   *
   * @returns the dead letters among them. Only D1's ledger tells whether a person has dropped them, so they stay until
   * `confirmApplied` or `confirmDropped`.
   */
  confirm(epoch: string, ns: readonly number[]): number[] {
    if (epoch !== this.#identity.epoch) return [];
    const now = Date.now();
    const dead = this.#outbox.confirm(ns, now);
    this.#refusals.end("D1");
    this.#scheduleAlarm(now);
    return dead;
  }

  /** D1 has applied a flush that may be a dead letter, and nobody has dropped it. Idempotent. */
  confirmApplied(epoch: string, n: number): void {
    if (epoch !== this.#identity.epoch) return;
    const now = Date.now();
    this.#outbox.settleDead(n, now);
    this.#scheduleAlarm(now);
  }

  /**
   * D1's ledger has a dead letter as dropped. Its calls never count again. Idempotent. Remembers what it held, and returns that
   * as `droppedDeltas` does.
   */
  confirmDropped(epoch: string, n: number): string | null {
    if (epoch !== this.#identity.epoch) return null;
    this.#transaction.run(() => {
      const now = Date.now();
      const deltas = this.#outbox.deadDeltas(n);
      if (deltas !== undefined) this.#dropped.add(n, deltas, now);
      this.#outbox.empty(n);
      this.#outbox.settleDead(n, now);
    });
    this.#scheduleAlarm(Date.now());
    return this.droppedDeltas(epoch, n);
  }

  /** D1 refuses flushes until something changes. Ends with the next confirmation. */
  noteRefusal(refusal: Refusal): void {
    this.#refusals.note("D1", refusal, Date.now());
  }

  /** Which flushes D1 has, as far as the buffer knows. */
  confirmed(): Confirmed {
    const { epoch, next } = this.#identity;
    return { epoch, next, unconfirmed: this.#outbox.unconfirmed() };
  }

  /**
   * D1 had confirmed these flushes and lacks them now, because it was restored to an earlier time. Sends those again that are
   * kept, and returns the others. Does nothing for an epoch of lost storage.
   */
  recall(epoch: string, lacking: readonly FlushRange[]): FlushRange[] {
    if (epoch !== this.#identity.epoch) return [];
    const now = Date.now();
    const lost = this.#outbox.recall(lacking, now);
    this.#scheduleAlarm(now);
    log("recalled", { epoch, lacking, lost });
    return lost;
  }

  /**
   * Marks a flush that D1 or the consumer refuses as a dead letter. It stays in the outbox, counts in reads, and is sent again
   * every hour.
   */
  markDead(epoch: string, n: number, reason: string): void {
    if (epoch !== this.#identity.epoch) return;
    const now = Date.now();
    this.#outbox.markDead(n, reason, now);
    this.#scheduleAlarm(now);
  }

  /**
   * Deletes all acknowledged calls of the selected series. Returns the deletion as a flush, so that the caller can apply it at
   * once and confirm it. If the caller does not, the outbox sends it to the queue.
   */
  deleteSeries(selector: SeriesSelector): FlushId & { after: number | undefined; deletion: SeriesSelector } {
    const now = Date.now();
    const parts = {
      identity: this.#identity,
      pending: this.#pending,
      outbox: this.#outbox,
      functions: this.#functions,
      transaction: this.#transaction,
    };
    const n = deleteSeries(parts, this.#limits, selector, now);
    this.#scheduleAlarm(now);
    log("series_deleted", { n, ...selector });
    const after = this.#outbox.deletionBefore(n);
    return { buffer: this.#identity.name, epoch: this.#identity.epoch, n, after, deletion: selector };
  }

  deadLetters(): DeadLetter[] {
    const { epoch } = this.#identity;
    return this.#outbox.deadLetters().map((letter) => ({ epoch, ...letter }));
  }

  /** The deltas of a dead letter, as a JSON array of `Delta`. Null if there is no dead letter with that id. */
  deadDeltas(epoch: string, n: number): string | null {
    return epoch === this.#identity.epoch ? (this.#outbox.deadDeltas(n) ?? null) : null;
  }

  /** The deltas of a dropped flush, as a JSON array of `Delta`. Null if it was not dropped, or was forgotten. */
  droppedDeltas(epoch: string, n: number): string | null {
    return epoch === this.#identity.epoch ? (this.#dropped.deltas(n) ?? null) : null;
  }

  /** Sends a dead letter now. False if there is no dead letter with that id. */
  replay(epoch: string, n: number): boolean {
    const now = Date.now();
    const isKnown = epoch === this.#identity.epoch && this.#outbox.replay(n, now);
    if (isKnown) this.#scheduleAlarm(now);
    return isKnown;
  }

  /**
   * One page of everything that D1 may lack. "changed" means that earlier pages are out of date: start over. With `appliedFrom`,
   * the first page also has the flushes from this id on that D1 has applied, as far as they are kept.
   */
  snapshot(
    cursor: SnapshotCursor | null = null,
    appliedFrom: number | null = null,
  ): SnapshotPage | { status: "changed" } {
    const parts = { identity: this.#identity, outbox: this.#outbox, pending: this.#pending };
    const page = readSnapshotPage(parts, cursor, this.#limits.snapshotPageBytes);
    if (page.status === "changed" || cursor || appliedFrom === null) return page;
    return { ...page, applied: this.#outbox.applied(appliedFrom, this.#limits.snapshotPageBytes) };
  }

  /**
   * The lowest id of this epoch that is not settled. D1 has every flush below it, or a person dropped it. The retention job
   * asks this hourly, which also sets an alarm that the platform dropped while no batch came.
   */
  settledBelow(): { epoch: string; n: number } {
    const now = Date.now();
    this.#dropped.forgetOld(now);
    this.#scheduleAlarm(now);
    const { epoch, next } = this.#identity;
    return { epoch, n: this.#outbox.lowestUnsettled ?? next };
  }

  /** The first minute of which the buffer holds calls that D1 may lack, in epoch seconds. Null if there is none. */
  oldestMinute(): number | null {
    return this.ctx.storage.sql
      .exec<{ minute: number | null }>(
        `SELECT min(delta.value ->> 'minute') AS minute
         FROM (SELECT deltas FROM outbox WHERE kept_at IS NULL UNION ALL SELECT deltas FROM pending) AS held, json_each(held.deltas) AS delta`,
      )
      .one().minute;
  }

  health(): BufferHealth {
    const { items, bytes, oldestAt } = this.#pending.state;
    const { unconfirmed, dead, oldestAt: oldestUnconfirmedAt } = this.#outbox.summary;
    const { flushes: recalledFlushes, since: recalledSince } = this.#outbox.recalled;
    return {
      bufferedSamples: items,
      bufferedBytes: bytes,
      oldestBufferedAt: oldestAt,
      oldestUnconfirmedAt,
      unconfirmedFlushes: unconfirmed,
      deadLetters: dead,
      overflow: this.#functions.overflowing(),
      epoch: this.#identity.epoch,
      rejectedSamples: this.#rejections.counts(),
      recalledFlushes,
      recalledSince,
      refusals: this.#refusals.all,
    };
  }

  /**
   * Seals pending deltas that are due, and sends them together with flushes that were not confirmed in time. Never throws,
   * because the platform drops an alarm that keeps throwing.
   */
  override async alarm(): Promise<void> {
    this.#alarm.rang();
    await this.#sealAndSend(Date.now(), false);
  }

  /** Seals and sends now what is not a dead letter. Returns how many flushes are on their way. */
  async flush(): Promise<number> {
    const now = Date.now();
    this.#outbox.makeDue(now);
    await this.#sealAndSend(now, true);
    return this.#outbox.summary.onTheWay;
  }

  async #sealAndSend(now: number, isForced: boolean): Promise<void> {
    const flushes: DueFlush[] = [];
    try {
      flushes.push(...this.#takeUnconfirmed(now));
      flushes.push(...this.#sealIfDue(now, isForced));
      this.#scheduleAlarm(now);
      this.#alarm.succeeded();
    } catch (error) {
      logError("flush_failed", error);
      this.#alarm.retryAfterFailure(now);
    }
    try {
      await sendFlushes(this.env.QUEUE, this.#identity, flushes, this.#limits.flushesPerSend);
      if (flushes.length > 0) this.#refusals.end("The queue");
    } catch (error) {
      // The outbox has set the time of the next attempt already. Do not touch the alarm here: a confirmation may have
      // removed it while the send was running, and an empty buffer must have none.
      logError("flush_failed", error);
      const refusal = refusalOf(error);
      if (refusal) this.#refusals.note("The queue", refusal, now);
    }
  }

  #takeUnconfirmed(now: number): DueFlush[] {
    const due = this.#outbox.takeDue(now);
    if (due.length > 0) log("resent", { flushes: due.map(({ n }) => n) });
    return due;
  }

  #sealIfDue(now: number, isForced: boolean): DueFlush[] {
    const at = isForced && this.#pending.state.oldestAt !== null ? now : this.#sealTime(now);
    if (at === null || at > now) return [];
    const parts = {
      identity: this.#identity,
      pending: this.#pending,
      outbox: this.#outbox,
      transaction: this.#transaction,
    };
    const sealed = sealPending(parts, this.#limits, now);
    return sealed.map((flush) => ({ ...flush, after: this.#outbox.deletionBefore(flush.n) }));
  }

  /** A bad setting must not fail a confirmation. `GET /health` tells it. */
  #keepFlushesMs(): number {
    try {
      return readKeepFlushesMs(this.env);
    } catch {
      return readKeepFlushesMs({});
    }
  }

  #sealTime(now: number): number | null {
    const { oldestAt, ...pending } = this.#pending.state;
    // An empty buffer does not read the settings, so that a bad setting does not fail its confirmations.
    if (oldestAt === null) return null;
    return sealTime({
      pending: { ...pending, oldestAt },
      onTheWay: this.#outbox.summary.onTheWay,
      deletions: this.#outbox.summary.deletions,
      configuration: readConfiguration(this.env),
      limits: this.#limits,
      now,
    });
  }

  /** Sets the alarm to the next thing to do. */
  #scheduleAlarm(now: number): void {
    const times = [this.#sealTime(now), this.#outbox.summary.nextDue].filter((time) => time !== null);
    this.#alarm.schedule(times.length === 0 ? null : Math.min(...times), now);
  }
}
