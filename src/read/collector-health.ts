/** Reads the state of the collector itself: its buffers and its sinks. */
import { type BuffersHealth, readBufferHealth } from "./buffer-health.ts";
import { readSinks, type SinkState } from "./sinks.ts";

export type CollectorHealth = BuffersHealth & { sinks: SinkState[] };

/** @throws {BindingFault} */
export async function readCollectorHealth(
  env: Pick<Env, "BUFFER" | "DB" | "SINKS">,
): Promise<CollectorHealth> {
  const [buffers, sinks] = await Promise.all([readBufferHealth(env), readSinks(env)]);
  return { ...buffers, sinks };
}
