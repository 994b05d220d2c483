/** Makes the calls of a function, minute by minute. */
import type { CallCells, Cell } from "../../src/stats/call-cells.ts";

/** The end of the last minute: noon of a day, in epoch seconds. */
export const NOON = Date.UTC(2026, 10, 27, 12) / 1000;

export interface Made {
  calls?: number;
  errors?: number;
  /** All calls take as long. */
  ms?: number;
  /** Calls longer than a limit, by the limit. */
  slow?: Record<string, number>;
}

/** The last of `minutes` ends at `end`. Undefined is a minute without calls. */
export function cellsOf(
  minutes: readonly (Made | undefined)[],
  { end = NOON, hours = [] as Cell[] } = {},
): CallCells {
  const cells = minutes.flatMap((made, i): Cell[] => {
    if (!made) return [];
    const { calls = 60, errors = 0, ms = 10, slow } = made;
    const start = end - (minutes.length - i) * 60;
    return [{ start, calls, errors, measured: calls, sumUs: calls * ms * 1000, ...(slow ? { slow } : {}) }];
  });
  const [first = NOON, last = 0] = [hours[0]?.start ?? cells[0]?.start, cells.at(-1)?.start];
  return { firstSeen: first * 1000, lastSeen: (last + 59) * 1000, minutes: cells, hours };
}

/** As many minutes of one kind. */
export function times(count: number, made: Made | undefined): (Made | undefined)[] {
  return Array.from({ length: count }, () => made);
}

/** Hours of past days, each with the same calls. They end two days before `end`. */
export function pastHours(days: number, made: Made, end = NOON): Cell[] {
  const { calls = 3600, errors = 0, ms = 10, slow } = made;
  return Array.from({ length: days * 24 }, (_, i) => ({
    start: end - 48 * 3600 - (days * 24 - i) * 3600,
    calls,
    errors,
    measured: calls,
    sumUs: calls * ms * 1000,
    ...(slow ? { slow } : {}),
  }));
}
