/** Waits until the database has every call that was acknowledged before. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Health, postAsAdmin } from "../deploy/verify.ts";
import { Failure } from "../failure.ts";
import type { Cloud } from "../installed.ts";
import type { Output } from "../output.ts";
import { adminOf, askHealth } from "../worker-address.ts";

/** Above the default MAX_WAITING_TIME and a queue that is slow. */
const PATIENCE_MS = 15 * 60_000;
const PAUSE_MS = 2_000;
/** The Date header counts whole seconds. */
const ROUNDING_MS = 1_000;

/** Ends also while samples arrive all the time. @throws {Failure} after a quarter of an hour, or if the Worker does not answer */
export async function awaitStored(cloud: Cloud, output: Output): Promise<void> {
  const startedAt = Date.now();
  const first = await askHealth(cloud);
  await hurry(cloud);
  const sinceMs = startedAt - (first.clockAheadMs ?? 0) + ROUNDING_MS;
  for (let { health } = first; !hasAll(health, sinceMs); { health } = await askHealth(cloud)) {
    if (Date.now() - startedAt > PATIENCE_MS) {
      throw new Failure(
        "The database did not get what waits in the buffer within 15 minutes. See: npx metrics-collector doctor",
      );
    }
    const seconds = Math.round((Date.now() - startedAt) / 1000);
    output.progress(`waiting until the buffer is written, at most MAX_WAITING_TIME: ${seconds} s`);
    await sleep(PAUSE_MS);
  }
  output.endProgress();
}

/** Without it, the buffer is written within MAX_WAITING_TIME. An older version, or a machine without a token, cannot be asked. */
async function hurry(cloud: Cloud): Promise<void> {
  try {
    const { url, token } = await adminOf(cloud);
    await postAsAdmin(url, "/flush", token);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
  }
}

function hasAll({ oldestBufferedAt, oldestUnconfirmedAt }: Health, sinceMs: number): boolean {
  return [oldestBufferedAt, oldestUnconfirmedAt].every((at) => at === null || Date.parse(at) > sinceMs);
}
