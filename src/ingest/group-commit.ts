/**
 * Brings batches to the buffer, those of a service together that arrive together: one request, one transaction and one
 * row, each of which costs more than what it carries.
 *
 * A group is carried by the request of its first batch, even where the sender of that one hangs up meanwhile. Should the
 * platform end that request by force, the others of the group learn in time that they were not answered.
 */
import { waitUntil } from "cloudflare:workers";
import type { Answer } from "../buffer/idempotency-store.ts";
import type { BatchGroup, RecordResult, SendAgain } from "../buffer/interface.ts";
import { byteLength } from "../byte-length.ts";
import { limits } from "../limits.ts";
import { theBuffer } from "../buffer/buffers.ts";
import { type Delta, keyWithinService, mergeDeltas } from "../stats/delta.ts";

/** Longer than a group is open while all is well, in milliseconds. */
const ABANDONED_AFTER_MS = 1_000;
/** Longer than a request may go on that nobody waits for, in milliseconds. */
const ANSWERED_WITHIN_MS = 35_000;

/** A batch that was validated and summed. */
export interface SummedBatch {
  service: string;
  /** Null where the sender gave none: then every delivery counts. */
  key: string | null;
  /** Names what the batch says. */
  digest: string;
  /** Of its body, in UTF-16 code units: what the work that it makes is estimated by. */
  length: number;
  /** Not merged: there may be several for one function and minute. */
  deltas: Delta[];
  answer: Answer;
  /** How many samples were refused, by reason. */
  rejected: Record<string, number>;
}

export type BatchResult = Exclude<RecordResult, SendAgain> | { status: "too_large" };

interface Member {
  batch: SummedBatch;
  settle: (result: BatchResult) => void;
  fail: (error: unknown) => void;
}

class Group {
  readonly members: Member[];
  readonly #openedAt = Date.now();
  readonly #keys: Set<string | null>;
  #deltas: number;
  #length: number;

  constructor(first: Member) {
    const { key, deltas, length } = first.batch;
    this.members = [first];
    this.#keys = new Set([key]);
    this.#deltas = deltas.length;
    this.#length = length;
  }

  /** Takes another batch. False where it must not, and nobody may join any more. */
  add(member: Member): boolean {
    const { key, deltas, length } = member.batch;
    const isAbandoned = Date.now() - this.#openedAt > ABANDONED_AFTER_MS;
    const isFull =
      this.members.length >= limits.batchesPerGroup ||
      this.#deltas + deltas.length > limits.samplesPerBatch ||
      this.#length + length > limits.groupLength;
    const isRepeated = key !== null && this.#keys.has(key);
    if (isAbandoned || isFull || isRepeated) return false;
    this.members.push(member);
    this.#keys.add(key);
    this.#deltas += deltas.length;
    this.#length += length;
    return true;
  }
}

/** The groups that may be joined, by service. */
const open = new Map<string, Group>();

/**
 * Records a batch with those of its service that arrive in the same moment. Each has its own result, as if it had come
 * alone.
 *
 * @throws where the buffer did not answer: then whether it was recorded is not known
 */
export async function recordTogether(env: Env, batch: SummedBatch): Promise<BatchResult> {
  // WARNING: each waits for a promise of its own. One that another request made would hang with the end of that.
  const { promise, resolve, reject } = Promise.withResolvers<BatchResult>();
  const timer = setTimeout(() => reject(new Error("The request that carried it ended.")), ANSWERED_WITHIN_MS);
  join(env, { batch, settle: resolve, fail: reject });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

function join(env: Env, member: Member): void {
  const { service } = member.batch;
  if (open.get(service)?.add(member)) return;
  const group = new Group(member);
  open.set(service, group);
  // WARNING: without it, a sender that hangs up takes its whole group along.
  waitUntil(carry(env, service, group));
}

async function carry(env: Env, service: string, group: Group): Promise<void> {
  // Around the event loop twice, for what is about to arrive: where nothing is, that takes no time.
  await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
  if (open.get(service) === group) open.delete(service);
  await send(env, group.members);
}

/** Settles each of them, in one try where nothing is in its way. */
async function send(env: Env, members: readonly Member[]): Promise<void> {
  try {
    const results = await recordGroup(env, mergeBatches(members.map(({ batch }) => batch)));
    const again = members.filter((member, i) => {
      const result = results[i]!;
      if (result.status === "send_again") return true;
      member.settle(result);
      return false;
    });
    if (again.length === members.length) await sendInHalves(env, again);
    else if (again.length > 0) await send(env, again);
  } catch (error) {
    for (const { fail } of members) fail(error);
  }
}

async function sendInHalves(env: Env, members: readonly Member[]): Promise<void> {
  if (members.length === 1) throw new Error("The buffer neither took the batch nor refused it.");
  const half = Math.ceil(members.length / 2);
  await Promise.all([send(env, members.slice(0, half)), send(env, members.slice(half))]);
}

async function recordGroup(env: Env, group: BatchGroup): Promise<(BatchResult | SendAgain)[]> {
  if (group.bytes <= limits.storedBatchBytes) return theBuffer(env).recordGroup(group);
  const status = group.batches.length === 1 ? "too_large" : "send_again";
  return group.batches.map(() => ({ status }));
}

function mergeBatches(batches: readonly SummedBatch[]): BatchGroup {
  const merged = mergeDeltas(batches.flatMap(({ deltas }) => deltas));
  const deltas = JSON.stringify(merged);
  const rejected: BatchGroup["rejected"] = {};
  for (const batch of batches) {
    for (const [reason, samples] of Object.entries(batch.rejected)) {
      rejected[reason] = (rejected[reason] ?? 0) + samples;
    }
  }
  return {
    service: batches[0]!.service,
    batches: batches.map(({ key, digest, answer }) => ({ key, digest, answer })),
    deltas,
    bytes: byteLength(deltas),
    functions: [...new Set(merged.map((delta) => keyWithinService(delta.module, delta.function)))],
    rejected,
  };
}
