/** Says which rollups D1 must hold, and what must be in them, from a plain list of what was written. */
import { type Closed, type Part, type Rollup, type Stored, type Table, tableOf } from "./counts.ts";

const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;

/**
 * The rollups of D1, and what they should be: a minute for each minute with calls; an hour and a day for each closed one, with
 * all its calls. Minutes and hours that may be deleted are left out on both sides.
 *
 * @param latest the latest time of a retention job, in epoch milliseconds
 */
export function rollupTables(stored: Stored, parts: readonly Part[], latest: number): [Table, Table] {
  const mayBeGone = (width: number, start: number) => {
    if (width === DAY) return false;
    const [coarser, keptSeconds] = width === MINUTE ? [HOUR, 48 * HOUR] : [DAY, 90 * DAY];
    const kept = floorTo(latest / 1000 - HOUR - keptSeconds, coarser);
    return start < Math.min(kept, closedRow(stored.closed, coarser).until);
  };
  const actual = stored.rollups.filter(({ width, minute }) => !mayBeGone(width, minute));
  const expected = parts.flatMap((part) =>
    [MINUTE, HOUR, DAY].flatMap((width): Rollup[] => {
      const minute = floorTo(part.minute, width);
      if (mayBeGone(width, minute)) return [];
      return width === MINUTE || isClosed(stored, part.function, width, minute)
        ? [{ ...part, width, minute }]
        : [];
    }),
  );
  const keyOf = (part: Part) => {
    const { width } = part as Rollup;
    return `${part.function} ${width} ${part.minute}`;
  };
  return [tableOf(actual, keyOf), tableOf(expected, keyOf)];
}

function isClosed({ closed, ids }: Stored, name: string, width: number, start: number): boolean {
  const { until, next, upto } = closedRow(closed, width);
  return start < until || (start < next && ids[name] !== undefined && ids[name] <= upto);
}

function closedRow(closed: readonly Closed[], width: number): Closed {
  return (
    closed.find(({ resolution }) => resolution === width) ?? { resolution: width, until: 0, next: 0, upto: 0 }
  );
}

function floorTo(value: number, width: number): number {
  return Math.floor(value / width) * width;
}
