/** How far a sink is: the part of its state that changes while it sends. */
import type { FeedCursor, Position, Segment } from "../store/feed.ts";
import type { Beginning } from "../store/sinks.ts";
import { DAY, HOUR, MINUTE, tierStarts } from "../stats/tiers.ts";

/** Epoch seconds; `from` is included, `to` is not. */
export interface TimeRange {
  from: number;
  to: number;
}

export interface Progress {
  /** Added to `seq` for versions. */
  base: number;
  cursor: FeedCursor;
  /** The store has every deletion up to this `seq`. */
  deletedTo: number;
  segments: Segment[];
  /** The walk through the rollups that start at `from` or later; null if it has ended. */
  backfill: { position: Position; from: number; sent: number } | null;
  /** Time that must be taken out of the store before the walk, because hours replace minutes there. */
  clearing: (TimeRange & { below: number }) | null;
  /** The time for which the store has hours, because the sink was behind for too long. */
  coarse: TimeRange | null;
  /** How many rows one step takes. Falls while the store refuses many of them. */
  pageRows: number;
}

export const PAGE_ROWS = 5_000;
const START: Position = { id: 0, resolution: 0, start: 0 };

/** The progress of a sink that begins now. The store gets each call in one resolution. */
export function beginning(base: number, { cursor, open }: Beginning, nowMs: number): Progress {
  const { minutes, hours } = tierStarts(nowMs);
  // WARNING: a rollup may be sent from here on only if D1 has it whole: it is open, or it is not old enough to be deleted.
  const minutesFrom = Math.min(minutes, open.hours);
  const hoursFrom = Math.min(hours, open.days, minutesFrom);
  return {
    base,
    cursor,
    deletedTo: cursor.seq,
    segments: [
      { from: 0, resolution: DAY },
      { from: hoursFrom, resolution: HOUR },
      { from: minutesFrom, resolution: MINUTE },
    ],
    backfill: { position: START, from: 0, sent: 0 },
    clearing: null,
    coarse: null,
    pageRows: PAGE_ROWS,
  };
}

/** D1 is another one than before, or the store must get everything again. */
export function again(progress: Progress, base: number, { cursor, open }: Beginning): Progress {
  const { segments, finer } = refine(progress.segments, open);
  const time = finer && union(progress.clearing, finer);
  return {
    ...progress,
    base,
    cursor,
    // All deletions that the feed has are sent again too: nobody knows which of them the store has.
    deletedTo: 0,
    segments,
    clearing: time ? { ...time, below: base } : progress.clearing,
    backfill: { position: START, from: 0, sent: 0 },
  };
}

/**
 * A D1 that went back may have hours and days open that the sink sends: closing them later would add nothing to the feed. The
 * sink sends what is finer there from now on. `finer` is the time for which that changes, null if there is none.
 */
function refine(
  segments: readonly Segment[],
  open: { hours: number; days: number },
): { segments: Segment[]; finer: TimeRange | null } {
  const minutesFrom = segments.at(-1)!.from;
  const hoursFrom = segments.find(({ resolution }) => resolution !== DAY)!.from;
  if (open.hours >= minutesFrom && open.days >= hoursFrom) return { segments: [...segments], finer: null };
  const minutes = Math.min(open.hours, minutesFrom);
  const hours = Math.min(open.days, hoursFrom, minutes);
  const between = segments.filter(({ from }) => from > hours && from < minutes && from > hoursFrom);
  return {
    segments: [
      { from: 0, resolution: DAY },
      { from: hours, resolution: HOUR },
      ...between,
      { from: minutes, resolution: MINUTE },
    ],
    finer: { from: hours < hoursFrom ? hours : minutes, to: minutesFrom },
  };
}

/**
 * D1 will delete the minutes from `from` to `to`, and the sink has not sent them: it sends their hours instead. The cursor moves
 * to the end of the feed, because the walk sends all that changed. Deletions stay to be sent.
 */
export function coarser(progress: Progress, time: TimeRange, { cursor }: Beginning): Progress {
  const before = progress.segments.filter(({ from }) => from < time.from);
  const isHours = before.at(-1)?.resolution === HOUR;
  const clearing = union(progress.clearing, time);
  return {
    ...progress,
    cursor,
    segments: [
      ...before,
      ...(isHours ? [] : [{ from: time.from, resolution: HOUR }]),
      { from: time.to, resolution: MINUTE },
    ],
    coarse: union(progress.coarse, time),
    clearing: { ...clearing, below: progress.base + cursor.seq + 1 },
    backfill: {
      position: START,
      from: Math.min(clearing.from, progress.backfill?.from ?? clearing.from),
      sent: 0,
    },
  };
}

/** Which minutes and hours D1 must keep for the walk, as the first of each in epoch seconds. Null if there is no walk. */
export function neededFrom({ backfill, segments }: Progress): { minutes: number; hours: number } | null {
  if (!backfill) return null;
  const first = (resolution: number) => {
    const i = segments.findIndex(
      (segment, at) =>
        segment.resolution === resolution && (segments[at + 1]?.from ?? Infinity) > backfill.from,
    );
    return Math.max(segments[i]?.from ?? Number.MAX_SAFE_INTEGER, backfill.from);
  };
  return { minutes: first(MINUTE), hours: first(HOUR) };
}

function union(a: TimeRange | null, b: TimeRange): TimeRange {
  return { from: Math.min(a?.from ?? b.from, b.from), to: Math.max(a?.to ?? b.to, b.to) };
}
