/**
 * Reads what many functions did over time, in parts that bound the memory: a list of functions first, then the rows of some
 * functions at a time.
 *
 * Each function's rows are from one moment. Different functions may be from different moments.
 */
import type { Delta } from "../stats/delta.ts";
import type { Range } from "../stats/interval.ts";
import { type SeriesId, seriesKey } from "../stats/series-id.ts";
import { closedRows, openFrom } from "../store/closed.ts";
import type { StoredFunction } from "../store/read-functions.ts";
import type { CoarseTimes } from "../store/read-rollups.ts";
import type { Query } from "../store/read-with-ledger.ts";
import { readExact } from "./exact.ts";
import { type Asked, readKept } from "./kept.ts";
import { maxRollupsIn } from "./range.ts";
import { isSeenIn, timeOf } from "./seen.ts";

/** Rollups that are held in memory at once. They take some 20 MB. */
const ROLLUPS_PER_READ = 40_000;

/** What is known of one function. Its calls are in `rows` and `deltas` together. */
export interface FunctionParts<Listed extends StoredFunction, Row> {
  /** The function as D1 has it, from the same moment. Undefined if D1 has nothing of it that counts. */
  listed: Listed | undefined;
  rows: Row[];
  /** Acknowledged calls that D1's rows do not include. */
  deltas: Delta[];
}

export interface PartsRequest<Listed extends StoredFunction, Row extends { functionId: number }> {
  isMatching: (id: SeriesId) => boolean;
  /** Functions without a call in any of these ranges get no rows. */
  asked: readonly Asked[];
  /** Lists all functions. */
  list: Query<Listed[]>;
  /** Lists some functions again, so that their list and their rows are from one moment. Left out if that does not matter. */
  listAgain?: (ids: readonly number[]) => Query<Listed[]>;
  /** The rows of some functions in one of the ranges. */
  rows: (ids: readonly number[], range: Range, coarse: CoarseTimes) => Query<Row[]>;
  /** Called with the number of matching functions before any rows are read. May throw. */
  accept?: (functions: number) => void;
}

/** @throws {BusyError | BindingFault} */
export async function* readParts<Listed extends StoredFunction, Row extends { functionId: number }>(
  env: Pick<Env, "BUFFER" | "DB">,
  { isMatching, asked, list, listAgain, rows, accept }: PartsRequest<Listed, Row>,
): AsyncGenerator<FunctionParts<Listed, Row>> {
  const kept = await readKept(env, isMatching, asked);
  if (kept) {
    const deltas = Map.groupBy(kept.unappliedFlushes.flat().filter(isMatching), seriesKey);
    const known = new Set(kept.functions.map(({ row }) => seriesKey(row)));
    const unknown = [...deltas].filter(([key]) => !known.has(key));
    accept?.(kept.functions.length + unknown.length);
    for (const { row, tiles } of kept.functions) {
      // Totals and tiles are more than what the queries would give.
      const listed = row as unknown as Listed;
      yield { listed, rows: tiles as unknown as Row[], deltas: deltas.get(seriesKey(row)) ?? [] };
    }
    for (const [, own] of unknown) yield { listed: undefined, rows: [], deltas: own };
    return;
  }
  const { stored, unapplied } = await readExact(env, [list, closedRows()]);
  const known = new Set(stored[0].map(seriesKey));
  const deltas = Map.groupBy(unapplied.filter(isMatching), seriesKey);
  const isStored = (row: StoredFunction) => asked.some(({ range }) => isSeenIn(range, row));
  const matching = stored[0].filter(isMatching);
  const unknown = [...deltas].filter(([key]) => !known.has(key));
  accept?.(matching.length + unknown.length);
  // D1 has nothing of these functions in the ranges, so this read has all there is of them. WARNING: take it from this read.
  // By the next one a flush may have moved it to D1.
  for (const listed of matching) {
    if (!isStored(listed)) yield { listed, rows: [], deltas: deltas.get(seriesKey(listed)) ?? [] };
  }
  for (const [, own] of unknown) yield { listed: undefined, rows: [], deltas: own };
  const open = openFrom(stored[1]);
  const weightOf = (row: StoredFunction) =>
    asked.reduce((sum, { range, coarse }) => {
      const closed = { hours: Math.min(coarse.hours, open.hours), days: Math.min(coarse.days, open.days) };
      return sum + maxRollupsIn(range, closed, timeOf(row));
    }, 0);
  const queriesOf = (ids: readonly number[]) => asked.map(({ range, coarse }) => rows(ids, range, coarse));
  for (const some of inParts(matching.filter(isStored), weightOf)) {
    yield* await readSome(env, some, queriesOf, listAgain);
  }
}

async function readSome<Listed extends StoredFunction, Row extends { functionId: number }>(
  env: Pick<Env, "BUFFER" | "DB">,
  functions: readonly Listed[],
  queriesOf: (ids: readonly number[]) => readonly Query<Row[]>[],
  listAgain: ((ids: readonly number[]) => Query<Listed[]>) | undefined,
): Promise<FunctionParts<Listed, Row>[]> {
  const ids = functions.map(({ id }) => id);
  const queries = queriesOf(ids);
  const { stored, unapplied, isDeleted } = await readExact(env, [
    ...queries,
    ...(listAgain ? [listAgain(ids)] : []),
  ] as readonly Query<unknown[]>[]);
  const rows = Map.groupBy(stored.slice(0, queries.length).flat() as Row[], ({ functionId }) => functionId);
  const again = listAgain && new Map((stored.at(-1) as Listed[]).map((row) => [row.id, row]));
  const deltas = Map.groupBy(unapplied, seriesKey);
  return functions.flatMap((row): FunctionParts<Listed, Row>[] => {
    const own = deltas.get(seriesKey(row)) ?? [];
    const listed = isDeleted(row) ? undefined : again ? again.get(row.id) : row;
    if (listed) return [{ listed, rows: rows.get(row.id) ?? [], deltas: own }];
    // It was deleted after the list was read. Only calls from after the deletion count.
    return own.length === 0 ? [] : [{ listed: undefined, rows: [], deltas: own }];
  });
}

/** Cuts the functions into parts that each have a bounded number of rollups. */
function* inParts<Row>(functions: readonly Row[], weightOf: (row: Row) => number): Generator<Row[]> {
  let part: Row[] = [];
  let weight = 0;
  for (const row of functions) {
    const own = weightOf(row);
    if (part.length > 0 && weight + own > ROLLUPS_PER_READ) {
      yield part;
      part = [];
      weight = 0;
    }
    part.push(row);
    weight += own;
  }
  if (part.length > 0) yield part;
}
