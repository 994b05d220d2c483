/**
 * Says which minutes and hours the retention job may delete while there are sinks: those that no buffer holds calls of and that
 * every sink has sent, and all that are older than 14 days.
 */
import { callAllBuffers } from "../buffer/buffers.ts";
import { callSink } from "../sinks/sinks.ts";
import { floorTo } from "../stats/interval.ts";
import { DAY, HOUR } from "../stats/tiers.ts";
import { pruneFeed, readSinkNames, readWaiting, removeSink, sweepBefore } from "../store/sinks.ts";

/** How long a sink may be behind before it gets hours instead of minutes, in seconds. */
const KEPT_FOR_SINKS = 14 * DAY;

/** Epoch seconds. */
interface Limits {
  minutes: number;
  hours: number;
}

/**
 * Returns the limits as they are if there are no sinks. Deletes feed rows that every sink has sent.
 *
 * @throws if the buffer, a sink or D1 does not answer. Then nothing may be deleted.
 */
export async function keepForSinks(
  env: Pick<Env, "BUFFER" | "DB" | "SINKS">,
  now: number,
  expired: Limits,
): Promise<Limits> {
  const names = await readSinkNames(env.DB);
  if (names.length === 0) return expired;
  const held = await callAllBuffers(env, async (buffer) => await buffer.oldestMinute());
  const all = await Promise.all(
    names.map(async (name) => ({
      name,
      needs: await callSink(env, name, async (sink) => await sink.needs()),
    })),
  );
  // D1 was restored to a time when the sink was still there.
  for (const { name, needs } of all) if (!needs) await removeSink(env.DB, name);
  const sinks = all.flatMap(({ name, needs }) => (needs ? [{ name, ...needs }] : []));
  if (sinks.length === 0) return expired;
  const waiting = await readWaiting(
    env.DB,
    sinks.map(({ cursor }) => cursor),
  );
  const oldest = Math.min(expired.minutes, floorTo(now / 1000 - KEPT_FOR_SINKS, HOUR));
  let { minutes, hours } = expired;
  for (const [i, { name, ...needs }] of sinks.entries()) {
    let { walk } = needs;
    const needed = Math.min(waiting[i]!.oldest ?? Infinity, walk?.minutes ?? Infinity);
    if (needed < oldest) {
      const time = { from: floorTo(needed, HOUR), to: oldest };
      walk = await callSink(env, name, async (sink) => await sink.coarsen(time));
    }
    minutes = Math.min(minutes, needed);
    hours = Math.min(hours, walk?.hours ?? Infinity);
  }
  const limits = {
    minutes: Math.max(oldest, Math.min(minutes, ...held.map((minute) => minute ?? Infinity))),
    hours,
  };
  await pruneFeed(env.DB, {
    cursor: Math.min(...sinks.map(({ cursor }) => cursor)),
    deletedTo: Math.min(...sinks.map(({ deletedTo }) => deletedTo)),
  });
  return sweepBefore(env.DB, limits);
}
