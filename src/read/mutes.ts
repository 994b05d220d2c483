/** Tells which of the functions that need attention are muted. */
import { callBinding } from "../call-binding.ts";
import { seriesKey, type SeriesId } from "../stats/series-id.ts";
import { type Mute, readMutes } from "../store/mutes.ts";

/** Returns a function that gives the mute of one kind of attention of a function. @throws {BindingFault} */
export async function mutesNow(
  env: Pick<Env, "DB">,
  now: number,
): Promise<(of: SeriesId & { kind: string }) => Mute | undefined> {
  const mutes = await callBinding("D1", () => readMutes(env.DB, now));
  const keyOf = (of: SeriesId & { kind: string }) => `${seriesKey(of)}\n${of.kind}`;
  const byKey = new Map(mutes.map((mute) => [keyOf(mute), mute]));
  return (of) => byKey.get(keyOf(of));
}
