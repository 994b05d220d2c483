/**
 * Sends batches to the buffer. Batches of one service that arrive at the same moment share one request, one transaction and
 * one row, because each of these costs more than its content.
 *
 * The request of a group's first batch sends the whole group, even if that sender hangs up. If the platform ends that
 * request by force, the other requests time out and answer that the result is unknown.
 */
import { waitUntil } from "cloudflare:workers";
import type { BatchGroup, RecordResult, SendAgain } from "../buffer/interface.ts";
import { bufferFor } from "../buffer/buffers.ts";
import type { Batch } from "./batch.ts";
import { GroupRoom, mergeBatches } from "./batch-group.ts";
import { ingestLimits } from "./limits.ts";

/** A group is usually open for a millisecond. If it is open for longer than this, the request that sends it has ended. */
const ABANDONED_AFTER_MS = 1_000;
/** Workers may run for 30 seconds after their client is gone. After that the group's request cannot answer any more. */
const ANSWERED_WITHIN_MS = 35_000;

/** `too_large`: the batch alone exceeds `storedBytesPerGroup`. The others come from the buffer. */
export type BatchResult = Exclude<RecordResult, SendAgain> | { status: "too_large" };

interface Member {
  batch: Batch;
  settle: (result: BatchResult) => void;
  fail: (error: unknown) => void;
}

interface OpenGroup {
  readonly openedAt: number;
  readonly room: GroupRoom;
  readonly members: Member[];
}

/** The groups that batches can join, by service. */
const openGroups = new Map<string, OpenGroup>();

/**
 * Records a batch, together with others of its service that arrive at the same moment. Every batch gets its own result, as
 * if it had been sent alone.
 *
 * @throws if the buffer did not answer. Then it is unknown whether the batch was recorded.
 */
export async function recordTogether(env: Env, batch: Batch): Promise<BatchResult> {
  // WARNING: each request must wait for a promise that it made itself. A promise of another request never settles once
  // that request has ended.
  const { promise, resolve, reject } = Promise.withResolvers<BatchResult>();
  const timer = setTimeout(
    () => reject(new Error("The request that sent the batch to the buffer ended without a result.")),
    ANSWERED_WITHIN_MS,
  );
  join(env, { batch, settle: resolve, fail: reject });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

function join(env: Env, member: Member): void {
  const { service } = member.batch;
  const open = openGroups.get(service);
  const isAbandoned = open !== undefined && Date.now() - open.openedAt > ABANDONED_AFTER_MS;
  if (open && !isAbandoned && open.room.take(member.batch)) {
    open.members.push(member);
    return;
  }
  const group = { openedAt: Date.now(), room: new GroupRoom(), members: [member] };
  group.room.take(member.batch);
  openGroups.set(service, group);
  // WARNING: without `waitUntil`, a sender that hangs up would cancel its whole group.
  waitUntil(closeAndSend(env, service, group));
}

async function closeAndSend(env: Env, service: string, group: OpenGroup): Promise<void> {
  // Two turns of the event loop let requests that are arriving now join. An idle Worker spends no time on them.
  await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
  if (openGroups.get(service) === group) openGroups.delete(service);
  await send(env, group.members);
}

/** Sends the members' batches and settles each member. Batches that the buffer did not record are sent again in smaller groups. */
async function send(env: Env, members: readonly Member[]): Promise<void> {
  try {
    const results = await record(env, mergeBatches(members.map(({ batch }) => batch)));
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
  if (members.length === 1) throw new Error("The buffer returned send_again for a single batch.");
  const half = Math.ceil(members.length / 2);
  await Promise.all([send(env, members.slice(0, half)), send(env, members.slice(half))]);
}

async function record(env: Env, group: BatchGroup): Promise<(BatchResult | SendAgain)[]> {
  if (group.bytes <= ingestLimits.storedBytesPerGroup)
    return bufferFor(env, group.service).recordGroup(group);
  const status = group.batches.length === 1 ? "too_large" : "send_again";
  return group.batches.map(() => ({ status }));
}
