/** Records a group of batches: checks keys, free space and the caps on functions, then stores all of the group or nothing. */
import { byteLength } from "../byte-length.ts";
import { type FirstUse, hasKey, type IdempotencyStore } from "./idempotency-store.ts";
import type { BatchGroup, RecordResult } from "./interface.ts";
import { type KnownFunctions, OVERFLOW, withOverflow } from "./known-functions.ts";
import type { BufferLimits } from "./limits.ts";
import type { Outbox } from "./outbox.ts";
import type { Pending } from "./pending.ts";
import type { Rejections } from "./rejections.ts";
import type { Transaction } from "./transaction.ts";

export interface RecorderParts {
  idempotency: IdempotencyStore;
  functions: KnownFunctions;
  pending: Pending;
  outbox: Outbox;
  rejections: Rejections;
  transaction: Transaction;
}

export class Recorder {
  readonly #parts: RecorderParts;
  readonly #limits: BufferLimits;
  readonly #forgetAfterMs: () => number;

  /** `forgetAfterMs` reads the setting when it is needed. */
  constructor(parts: RecorderParts, limits: BufferLimits, forgetAfterMs: () => number) {
    this.#parts = parts;
    this.#limits = limits;
    this.#forgetAfterMs = forgetAfterMs;
  }

  /**
   * Returns one result for each batch, in the order of the batches. If one of several batches cannot be stored, none is. The
   * caller then sends them again in smaller groups, so that the failing batch does not affect the others.
   *
   * @throws if the group has one batch only and storing it failed
   */
  record(group: BatchGroup, now: number): RecordResult[] {
    try {
      return this.#parts.transaction.run(() => this.#recordAll(group, now));
    } catch (error) {
      if (group.batches.length === 1) throw error;
      return group.batches.map(() => ({ status: "send_again" }));
    }
  }

  #recordAll(group: BatchGroup, now: number): RecordResult[] {
    const { service, batches, deltas, bytes, rejected } = group;
    const { idempotency, functions, pending, rejections } = this.#parts;
    // Must precede the check for room, because dropping the keys of an old day makes room.
    idempotency.turnTo(now);
    functions.forgetSilent(now, this.#forgetAfterMs());
    const keyed = batches.filter(hasKey);
    const firstUses = idempotency.firstUses(service, keyed);
    if (firstUses.size > 0) {
      return batches.map(({ key }) => {
        const first = key === null ? undefined : firstUses.get(key);
        return first ? resultOf(first) : { status: "send_again" };
      });
    }
    const quotaOwner = quotaOwnerOf(functions, service);
    if (!hasRoom(this.#parts, this.#limits, quotaOwner, bytes)) {
      const status = batches.length === 1 ? "overloaded" : "send_again";
      return batches.map(() => ({ status }));
    }
    const admission = functions.admit(service, group.functions);
    idempotency.add(service, keyed, quotaOwner, now);
    rejections.add(rejected);
    const items = batches.reduce((sum, { answer }) => sum + answer.accepted, 0);
    if (items > 0) {
      functions.remember(admission.service, admission.called, now);
      const admitted = withOverflow(deltas, admission);
      pending.add(items, admitted, admitted === deltas ? bytes : byteLength(admitted), now);
    }
    return batches.map(() => ({ status: "recorded" }));
  }
}

/** Whether the buffer may take deltas of that size. */
export function hasRoom(
  { pending, outbox, idempotency }: Pick<RecorderParts, "pending" | "outbox" | "idempotency">,
  limits: BufferLimits,
  quotaOwner: string,
  bytes: number,
): boolean {
  return (
    pending.state.bytes + bytes <= limits.pendingBytes &&
    outbox.summary.bytes <= limits.unconfirmedBytes &&
    !idempotency.isFull(quotaOwner)
  );
}

/** The service if it is known. All unknown services share one quota, so that a sender gains nothing by inventing names. */
export function quotaOwnerOf(functions: KnownFunctions, service: string): string {
  return functions.knows(service) ? service : OVERFLOW;
}

function resultOf({ isSame, answer }: FirstUse): RecordResult {
  return isSame ? { status: "duplicate", answer } : { status: "conflict" };
}
