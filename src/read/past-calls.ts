/** Reads the past of some functions once: minutes of the last two days, and the hours of 28 days before them. */
import { callBinding } from "../call-binding.ts";
import { floorTo } from "../stats/interval.ts";
import { DAY, HOUR, MINUTE } from "../stats/tiers.ts";
import { type DurationRow, pastCalls, pastDurations } from "../store/read-attention.ts";
import { readExact } from "./exact.ts";
import { readWithLedger } from "../store/read-with-ledger.ts";
import type { ReadBindings } from "./series.ts";

export interface PastCell {
  start: number;
  calls: number;
  errors: number;
}

export interface PastSeries {
  /** In D1. */
  id: number;
  /** In order of time. */
  minutes: PastCell[];
  hours: PastCell[];
}

export const PAST_SECONDS = 28 * DAY;
const MINUTES_KEPT = 48 * HOUR;

/** The start of the minutes of a past that is read now, in epoch seconds. Hours come before it. */
export function minutesFrom(nowSeconds: number): number {
  return floorTo(nowSeconds - MINUTES_KEPT, HOUR);
}

/**
 * Reads one row for each minute and hour of each function. Calls that only the buffer has are left out: they are recent.
 *
 * @throws {BusyError | BindingFault}
 */
export async function readPastCalls(
  env: ReadBindings,
  ids: readonly number[],
  nowSeconds: number,
): Promise<PastSeries[]> {
  const cut = minutesFrom(nowSeconds);
  const { stored } = await readExact(env, [pastCalls(ids, floorTo(nowSeconds - PAST_SECONDS, HOUR))]);
  return stored[0].map(({ id, minutes, hours }) => {
    const byHour = new Map<number, PastCell>();
    for (const [start, calls, errors] of hours) if (start < cut) byHour.set(start, { start, calls, errors });
    // The row of a closed hour includes its minutes while these are still there.
    const closed = new Set(byHour.keys());
    const own: PastCell[] = [];
    for (const [start, calls, errors] of minutes) {
      const hour = floorTo(start, HOUR);
      if (start >= cut) own.push({ start, calls, errors });
      else if (!closed.has(hour)) {
        const sum = byHour.get(hour) ?? { start: hour, calls: 0, errors: 0 };
        byHour.set(hour, { start: hour, calls: sum.calls + calls, errors: sum.errors + errors });
      }
    }
    return { id, minutes: own, hours: [...byHour.values()].sort((a, b) => a.start - b.start) };
  });
}

/**
 * Reads the histograms of some functions: by minute from `minutesFrom` on, and by hour before it, back to 28 days.
 *
 * @returns rows by id of the function. Hours that are not closed yet are missing, and so are their calls.
 */
export async function readPastHistograms(
  env: Pick<Env, "DB">,
  ids: readonly number[],
  minutesFrom: number,
  nowSeconds: number,
): Promise<Map<number, { minutes: DurationRow[]; hours: DurationRow[] }>> {
  const hours = pastDurations(ids, HOUR, [
    { from: floorTo(nowSeconds - PAST_SECONDS, HOUR), to: minutesFrom },
  ]);
  const minutes = pastDurations(ids, MINUTE, [{ from: minutesFrom, to: nowSeconds }]);
  const { rows } = await callBinding("D1", () =>
    readWithLedger(env.DB, [{ epoch: "", fromN: Number.MAX_SAFE_INTEGER }], [hours, minutes]),
  );
  const all = new Map(ids.map((id) => [id, { minutes: [] as DurationRow[], hours: [] as DurationRow[] }]));
  for (const { id, rows: own } of rows[0]) all.get(id)!.hours = own;
  for (const { id, rows: own } of rows[1]) all.get(id)!.minutes = own;
  return all;
}
