/**
 * The exact read of functions and rollups, of which D1's part is kept in memory and used again. Each isolate keeps its own.
 *
 * Rows that are kept are as D1 had them, and it is known which flushes they include. Every read asks the buffer for its
 * snapshot. A flush that the rows lack is still unconfirmed, or the buffer keeps it although D1 has applied it, and then it is
 * added to the rows; otherwise the rows are dropped and read again. So the result is that of a new read,
 * as long as D1 changes by flushes and the hourly job only. Other changes, such as a restored backup, are noticed within five
 * minutes, because the totals of the functions are then read again and compared.
 */
import { callAllBuffers } from "../buffer/buffers.ts";
import { callBinding } from "../call-binding.ts";
import type { Delta } from "../stats/delta.ts";
import type { SeenFailure } from "../stats/failures.ts";
import { floorTo, type Range } from "../stats/interval.ts";
import { isSelected, type SeriesId } from "../stats/series-id.ts";
import { DAY, HOUR } from "../stats/tiers.ts";
import { failuresOf } from "../store/read-failures.ts";
import { allTotals, type StoredTotals } from "../store/read-functions.ts";
import { type CoarseTimes, type Tile, tilesOfIds } from "../store/read-rollups.ts";
import { type Query, readWithLedger, type Rows } from "../store/read-with-ledger.ts";
import { coarseOf, segmentsOf } from "./blocks.ts";
import { Included } from "./included.ts";
import { KeptRows } from "./kept-rows.ts";
import type { FunctionName } from "./matchers.ts";
import { maxRollupsIn } from "./range.ts";
import { isSeenIn, timeOf } from "./seen.ts";
import { readSnapshot, type SealedFlush, type Snapshot } from "./snapshot.ts";

export const keptLimits = {
  /** More rollups are not kept, but read as if nothing were. They take some 20 MB. */
  rollups: 40_000,
  functions: 2_000,
  /** After this time the totals are read again and compared, in milliseconds. */
  comparedAfterMs: 5 * 60 * 1000,
  /** After this time all is read again, in milliseconds. */
  keptMs: 6 * HOUR * 1000,
};

/** Each reads what is missing, so that the next finds it: the functions, then their rollups. */
const ATTEMPTS = 8;

/** A range, and until when hours and days are taken for minutes. */
export interface Asked {
  range: Range;
  coarse: CoarseTimes;
}

export interface KeptRead {
  /** All functions that D1 has and that match. */
  functions: KeptFunction[];
  /** Acknowledged deltas that these rows do not include, grouped as D1 will apply them. */
  unappliedFlushes: Delta[][];
}

export interface KeptFunction {
  /** The function with its totals. */
  row: StoredTotals;
  /** Its rollups in the ranges. */
  tiles: Tile[];
  /** Empty if they were not asked for. */
  failures: SeenFailure[];
}

/** What is kept, and which flushes of each buffer it includes. */
interface Kept {
  rows: KeptRows;
  included: Included[];
  readAt: number;
  comparedAt: number;
}

let kept: Kept | undefined;

/** Forgets all that is kept, so that the next read reads D1. */
export function forgetKept(): void {
  kept = undefined;
}

/**
 * Undefined if there is too much to keep, or if the buffer changes all the time. Then read with `readExact`.
 *
 * @param failures of this function are read too
 * @throws {BindingFault} if the buffer or D1 does not answer
 */
export async function readKept(
  env: Pick<Env, "BUFFER" | "DB">,
  isMatching: (id: SeriesId) => boolean,
  asked: readonly Asked[],
  failures?: FunctionName,
): Promise<KeptRead | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const from = kept?.included.map(({ lowest }) => lowest) ?? [];
    const snapshots = await callAllBuffers(env, (buffer) => readSnapshot(buffer, from[0] ?? 0));
    if (!snapshots.every((snapshot) => snapshot !== undefined)) continue;
    if (!snapshots.every(({ hasApplied }) => hasApplied)) return undefined;
    // No other request runs until the next `await`, so what is kept does not change.
    const now = Date.now();
    const current = keptAt(snapshots, now);
    if (current === "newer") continue;
    // A person may have dropped a dead letter. Then it does not count, although the buffer still has it.
    const isInDoubt = snapshots.some(({ sealed }, i) =>
      sealed.some(({ n, isDead }) => isDead && !current.included[i]!.has(n)),
    );
    if (isInDoubt && !(await readAt(env, current, snapshots, []))) continue;
    const { rows } = current;
    const { functions } = rows;
    if (!functions || now - current.comparedAt > keptLimits.comparedAfterMs) {
      await readFunctions(env, current, snapshots);
      continue;
    }
    const unapplied = snapshots.map(({ sealed }, i) =>
      sealed.filter(({ n }) => !current.included[i]!.has(n)),
    );
    const isDeleted = deletedBy(unapplied.flat());
    const matching = functions.filter((row) => isMatching(row) && !isDeleted(row));
    const segments = asked.flatMap(({ range, coarse }) => segmentsOf(range, coarse, now / 1000));
    const called = new Set(matching.filter((row) => asked.some(({ range }) => isSeenIn(range, row))));
    if (functions.length > keptLimits.functions || weightOf([...called], asked, now) > keptLimits.rollups) {
      return undefined;
    }
    const missing = rows.missing([...called], segments, now);
    const areFailuresMissing = failures !== undefined && !rows.hasFailures(failures);
    if (missing.length > 0 || areFailuresMissing) {
      const tiles = missing.map(({ kind, from, to, ids }) =>
        tilesOfIds(ids, { from, to }, coarseOf(kind, to), true),
      );
      const stored = await readAt(env, current, snapshots, [
        failures ? failuresOf(failures) : failuresOf({ service: "", function: "" }),
        ...tiles,
      ]);
      if (!stored) continue;
      if (failures) rows.setFailures(failures, stored[0]);
      for (const [i, one] of missing.entries()) rows.add(one, stored[i + 1] as Tile[], now);
      rows.shrink(keptLimits.rollups, now);
      continue;
    }
    return {
      // WARNING: collect all now. After the next `await`, rows may include flushes that are in `unappliedFlushes` here.
      functions: matching.map((row) => ({
        row,
        tiles: called.has(row) ? rows.tilesOf(row, segments) : [],
        failures: rows.failuresOf(row),
      })),
      unappliedFlushes: snapshots.flatMap(({ pending }, i) => [
        ...unapplied[i]!.map(({ deltas }) => deltas),
        pending,
      ]),
    };
  }
  return undefined;
}

/** What is kept, with all flushes that have left the buffer. "newer" if another request has a later snapshot already. */
function keptAt(snapshots: readonly Snapshot[], now: number): Kept | "newer" {
  if (kept && isSame(kept, snapshots, now)) {
    if (snapshots.some(({ next }, i) => next < kept!.included[i]!.upTo)) return "newer";
    const flushes = snapshots.map((snapshot, i) => kept!.included[i]!.advance(snapshot));
    if (flushes.every((some) => some !== undefined)) {
      for (const flush of flushes.flat()) kept.rows.apply(flush);
      return kept;
    }
  }
  kept = {
    rows: new KeptRows(),
    included: snapshots.map((snapshot) => new Included(snapshot)),
    readAt: now,
    comparedAt: now,
  };
  return kept;
}

function isSame({ included, readAt }: Kept, snapshots: readonly Snapshot[], now: number): boolean {
  return (
    now - readAt < keptLimits.keptMs &&
    included.length === snapshots.length &&
    snapshots.every(({ epoch }, i) => included[i]!.epoch === epoch)
  );
}

/** Reads all functions. If totals are not as they are kept, D1 was changed by something else, and nothing is kept. */
async function readFunctions(
  env: Pick<Env, "DB">,
  current: Kept,
  snapshots: readonly Snapshot[],
): Promise<void> {
  const stored = await readAt(env, current, snapshots, [allTotals()]);
  if (!stored) return;
  if (current.rows.setFunctions(stored[0])) current.comparedAt = Date.now();
  else kept = undefined;
}

/**
 * Reads D1, and brings what is kept to the state of D1 in that moment. Undefined if that is not possible, because more has
 * changed; then nothing may be kept of it.
 */
async function readAt<const Queries extends readonly Query[]>(
  env: Pick<Env, "DB">,
  current: Kept,
  snapshots: readonly Snapshot[],
  queries: Queries,
): Promise<Rows<Queries> | undefined> {
  const positions = snapshots.map(({ epoch, sealed, next }) => ({ epoch, fromN: sealed[0]?.n ?? next }));
  const { rows, ledger } = await callBinding("D1", () => readWithLedger(env.DB, positions, queries));
  const isChanged = snapshots.some(
    ({ next }, i) => ledger[i]!.highest >= next || current.included[i]!.upTo !== next,
  );
  if (kept !== current || isChanged) return undefined;
  const applied: [Included, SealedFlush][] = [];
  for (const [i, { sealed }] of snapshots.entries()) {
    const included = current.included[i]!;
    for (const flush of sealed) {
      const isStored = ledger[i]!.includes(flush.n);
      // Another request knows a flush that these rows lack.
      if (!isStored && included.has(flush.n)) return undefined;
      if (!isStored || included.has(flush.n)) continue;
      if (flush.isDead) {
        // Whether it was applied or dropped is not known, and so neither whether the rows include it.
        kept = undefined;
        return undefined;
      }
      applied.push([included, flush]);
    }
  }
  for (const [included, flush] of applied) {
    included.add(flush.n);
    current.rows.apply(flush);
  }
  return rows;
}

function deletedBy(flushes: readonly SealedFlush[]): (id: SeriesId) => boolean {
  const deletions = flushes.flatMap(({ deletion }) => deletion ?? []);
  return (id) => deletions.some((deletion) => isSelected(deletion, id));
}

/** About how many rollups the ranges have, if all but the last hours and days are closed. */
function weightOf(functions: readonly StoredTotals[], asked: readonly Asked[], now: number): number {
  const closed = {
    hours: floorTo(now / 1000, HOUR) - HOUR,
    days: floorTo(now / 1000, DAY) - DAY,
  };
  let weight = 0;
  for (const row of functions) {
    for (const { range, coarse } of asked) {
      const known = { hours: Math.min(coarse.hours, closed.hours), days: Math.min(coarse.days, closed.days) };
      weight += maxRollupsIn(range, known, timeOf(row));
    }
  }
  return weight;
}
