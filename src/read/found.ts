/** Finds functions and failures by words, in D1 and in the buffer. */
import { failuresWith, type FoundFailure, type FoundFunction, functionsWith } from "../store/search.ts";
import { readExact } from "./exact.ts";
import type { ReadBindings } from "./series.ts";
import { containsAll, type Word } from "./words.ts";
import type { Delta } from "../stats/delta.ts";
import { type SeriesId, seriesKey } from "../stats/series-id.ts";
import { type SeriesTotals, sumBySeries } from "../stats/sums.ts";

export interface Found {
  functions: FoundFunction[];
  failures: FoundFailure[];
}

/**
 * Finds functions whose names contain every word. Finds failures whose own text and function's names together contain every
 * word, if their own text contains at least one. The results have no order.
 *
 * @throws {BusyError | BindingFault}
 */
export async function find(env: ReadBindings, words: readonly Word[]): Promise<Found> {
  const parts = [...new Set(words.flatMap((word) => word.parts))];
  const { stored, unapplied } = await readExact(env, [functionsWith(parts), failuresWith(parts)]);
  // D1 finds what has all parts. The words say how the parts must stand, in D1 as in the buffer.
  return {
    functions: addFunctions(
      stored[0].filter((row) => isFunctionWith(row, words)),
      unapplied,
      words,
    ),
    failures: addFailures(
      stored[1].filter((row) => isFailureWith(row, words)),
      unapplied,
      words,
    ),
  };
}

function addFunctions(
  stored: readonly FoundFunction[],
  unapplied: readonly Delta[],
  words: readonly Word[],
): FoundFunction[] {
  const found = unapplied.filter((delta) => isFunctionWith(delta, words));
  const parts: SeriesTotals[] = [
    ...stored.map((row) => ({ ...row, unmeasured: 0, sumUs: 0, minMs: null, maxMs: null, buckets: [] })),
    ...found.map((delta) => ({ ...delta, buckets: [] })),
  ];
  return sumBySeries(parts);
}

function addFailures(
  stored: readonly FoundFailure[],
  unapplied: readonly Delta[],
  words: readonly Word[],
): FoundFailure[] {
  const keyOf = (row: FoundFailure) => `${seriesKey(row)}\n${row.name}\n${row.message}`;
  const all = new Map(stored.map((row) => [keyOf(row), { ...row }]));
  for (const { service, module, function: name, failures, firstSeen, lastSeen } of unapplied) {
    for (const failure of failures) {
      const row = { service, module, function: name, ...failure, firstSeen, lastSeen };
      const known = all.get(keyOf(row));
      if (known) {
        known.calls += row.calls;
        known.firstSeen = Math.min(known.firstSeen, firstSeen);
        known.lastSeen = Math.max(known.lastSeen, lastSeen);
      } else if (isFailureWith(row, words)) {
        all.set(keyOf(row), row);
      }
    }
  }
  return [...all.values()];
}

function isFunctionWith({ service, module, function: name }: SeriesId, words: readonly Word[]): boolean {
  return containsAll(`${service} ${module} ${name}`, words);
}

function isFailureWith(row: FoundFailure, words: readonly Word[]): boolean {
  const own = `${row.name} ${row.message}`;
  return (
    containsAll(`${own} ${row.service} ${row.module} ${row.function}`, words) &&
    words.some((word) => containsAll(own, [word]))
  );
}
