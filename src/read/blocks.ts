/**
 * Cuts a range into blocks at fixed times, so that ranges that move along ask for the same blocks again: an hour of
 * minutes, four hours of hours, or four days of days. Longer blocks would read more that is not asked for.
 */
import { ceilTo, floorTo, type Range } from "../stats/interval.ts";
import { DAY, HOUR } from "../stats/tiers.ts";
import type { CoarseTimes } from "../store/read-rollups.ts";

/** What blocks hold: minutes; hours where they are closed, else minutes; days where they are closed, else hours or minutes. */
export type BlockKind = "minutes" | "hours" | "days";

/** Lengths in seconds. Blocks start at multiples of them. */
export const BLOCK_LENGTHS: Record<BlockKind, number> = { minutes: HOUR, hours: 4 * HOUR, days: 4 * DAY };

/** A part of a range that is read from blocks of one kind. */
export interface Segment extends Range {
  kind: BlockKind;
}

/**
 * The segments that make up the range, in order. Together their rollups are those that `rollupsOfIds` reads.
 *
 * @param now epoch seconds
 */
export function segmentsOf({ from, to }: Range, coarse: CoarseTimes, now: number): Segment[] {
  const hours = Math.min(ceilTo(from, HOUR), to);
  // The current hour is open for sure, so that its block holds its minutes.
  const isToNow = to >= now && coarse.hours >= floorTo(now, HOUR);
  const hoursEnd = isToNow ? to : Math.max(hours, Math.min(coarse.hours, to));
  const days = Math.min(ceilTo(from, DAY), hoursEnd);
  const daysEnd = Math.max(days, Math.min(coarse.days, floorTo(hoursEnd, DAY)));
  const all: Segment[] = [
    { kind: "minutes", from, to: hours },
    { kind: "hours", from: hours, to: days },
    { kind: "days", from: days, to: daysEnd },
    { kind: "hours", from: daysEnd, to: hoursEnd },
    { kind: "minutes", from: hoursEnd, to },
  ];
  return all.filter((segment) => segment.from < segment.to);
}

/** The starts of the blocks that a segment needs. */
export function blocksOf({ kind, from, to }: Segment): number[] {
  const length = BLOCK_LENGTHS[kind];
  const first = floorTo(from, length);
  return Array.from({ length: Math.ceil((to - first) / length) }, (_, i) => first + i * length);
}

/** Until when a block takes hours and days, if they are closed. */
export function coarseOf(kind: BlockKind, end: number): CoarseTimes {
  return { hours: kind === "minutes" ? 0 : end, days: kind === "days" ? end : 0 };
}
