/** When functions were called, and whether they may have rollups in a range. */
import { floorTo, type Range } from "../stats/interval.ts";
import type { SeriesId } from "../stats/series-id.ts";
import { DAY } from "../stats/tiers.ts";

/** A function with the times of its first and its last call, in epoch milliseconds. */
export type Seen = SeriesId & { firstSeen: number; lastSeen: number };

/** The time in which rollups of the function may start: from the day of its first call on, until its last. Epoch seconds. */
export function timeOf({ firstSeen, lastSeen }: Seen): Range {
  return { from: floorTo(firstSeen / 1000, DAY), to: lastSeen / 1000 + 1 };
}

export function isSeenIn(range: Range, seen: Seen): boolean {
  const { from, to } = timeOf(seen);
  return from < range.to && to > range.from;
}
