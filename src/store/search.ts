/**
 * Queries that find functions and failures by parts of their names and messages.
 *
 * FTS5 indexes with trigrams get each name once, when it first appears, so that calls of known functions cost nothing. For a
 * part that is too short for a trigram, the query scans rows. Parts are in the form that `fold` returns.
 */
import { and, desc, eq, or, type SQL, sql } from "drizzle-orm";
import { variantsOf } from "../stats/fold.ts";
import type { SeenFailure } from "../stats/failures.ts";
import type { SeriesId } from "../stats/series-id.ts";
import type { StoredFunction } from "./read-functions.ts";
import type { Query } from "./read-with-ledger.ts";
import { failures, functions } from "./schema.ts";

export type FoundFunction = Omit<StoredFunction, "id"> & { calls: number; errors: number };
export type FoundFailure = SeriesId & SeenFailure;

const TRIGRAM = 3;
/** Rows that a query returns at most, because a short word matches almost everything. Best or most frequent first. */
const CANDIDATES = 500;

const inFunctions = sql`search_functions`;
const inFailures = sql`search_failures`;

/** Functions that contain every part in their service, module or name. */
export const functionsWith =
  (parts: readonly string[]): Query<FoundFunction[]> =>
  (orm) => {
    const { service, module, name, calls, errors, firstSeen, lastSeen } = functions;
    const found = { service, module, function: name, calls, errors, firstSeen, lastSeen };
    const text = sql`${service} || ' ' || ${module} || ' ' || ${name}`;
    const phrase = phraseOf(parts);
    const isShort = containsShort(text, parts);
    if (phrase === "") {
      return orm.select(found).from(functions).where(isShort).orderBy(desc(calls)).limit(CANDIDATES);
    }
    return orm
      .select(found)
      .from(inFunctions)
      .innerJoin(functions, sql`${functions.id} = search_functions.rowid`)
      .where(and(sql`search_functions MATCH ${phrase}`, isShort))
      .orderBy(sql`search_functions.rank`)
      .limit(CANDIDATES);
  };

/** Functions whose service, module or name contains at least one of the trigrams. Those with most of them first. */
export const functionsLike =
  (trigrams: readonly string[]): Query<{ function: string }[]> =>
  (orm) =>
    orm
      .select({ function: functions.name })
      .from(inFunctions)
      .innerJoin(functions, sql`${functions.id} = search_functions.rowid`)
      .where(sql`search_functions MATCH ${phraseOf(trigrams, " OR ")}`)
      .orderBy(sql`search_functions.rank`)
      .limit(CANDIDATES);

/** Failures whose own texts and function's names together contain every part, and whose own texts contain at least one. */
export const failuresWith =
  (parts: readonly string[]): Query<FoundFailure[]> =>
  (orm) => {
    const { service, module, name } = functions;
    const found = {
      service,
      module,
      // Renamed, because D1 returns rows as objects, and the second column named `name` would replace the first.
      function: sql<string>`${name}`.as("function"),
      name: failures.name,
      message: failures.message,
      calls: failures.calls,
      firstSeen: failures.firstSeen,
      lastSeen: failures.lastSeen,
    };
    const own = sql`${failures.name} || ' ' || ${failures.message}`;
    const all = sql`${own} || ' ' || ${service} || ' ' || ${module} || ' ' || ${name}`;
    const phrase = phraseOf(parts);
    if (phrase === "") {
      return orm
        .select(found)
        .from(failures)
        .innerJoin(functions, eq(functions.id, failures.functionId))
        .where(and(containsShort(all, parts), containsOneShort(own, parts)))
        .orderBy(desc(failures.calls))
        .limit(CANDIDATES);
    }
    const inTheFailure = `{name message} : (${phraseOf(parts, " OR ")})`;
    return orm
      .select(found)
      .from(inFailures)
      .innerJoin(functions, sql`${functions.id} = search_failures.function_id`)
      .innerJoin(
        failures,
        sql`${failures.functionId} = search_failures.function_id AND ${failures.name} = search_failures.name
          AND ${failures.message} = search_failures.message`,
      )
      .where(
        and(
          sql`search_failures MATCH ${phrase}`,
          containsShort(all, parts),
          or(
            sql`search_failures.rowid IN (SELECT rowid FROM search_failures WHERE search_failures MATCH ${inTheFailure})`,
            containsOneShort(own, parts),
          ),
        ),
      )
      .orderBy(sql`search_failures.rank`)
      .limit(CANDIDATES);
  };

/** An FTS5 query for the parts that a trigram can find. Each is quoted, so that FTS5 sees no syntax in it. */
function phraseOf(parts: readonly string[], joint: " AND " | " OR " = " AND "): string {
  return parts
    .filter(isIndexed)
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join(joint);
}

/** Whether the part has a trigram. FTS5 counts code points. */
function isIndexed(part: string): boolean {
  return Array.from(part).length >= TRIGRAM;
}

function containsShort(text: SQL, parts: readonly string[]): SQL | undefined {
  const short = parts.filter((part) => !isIndexed(part));
  if (short.length === 0) return undefined;
  return sql`NOT EXISTS (SELECT 1 FROM json_each(${patternsOf(short)}) AS part WHERE NOT ${text} GLOB part.value)`;
}

function containsOneShort(text: SQL, parts: readonly string[]): SQL {
  const short = parts.filter((part) => !isIndexed(part));
  return sql`EXISTS (SELECT 1 FROM json_each(${patternsOf(short)}) AS part WHERE ${text} GLOB part.value)`;
}

/** GLOB patterns, because SQLite itself changes the case of ASCII letters only. */
function patternsOf(short: readonly string[]): string {
  return JSON.stringify(short.map((part) => `*${Array.from(part, patternOf).join("")}*`));
}

/** One character in all its cases. A character that GLOB would read as syntax stands in brackets. */
function patternOf(letter: string): string {
  const variants = variantsOf(letter);
  return variants !== letter || /[*?[]/.test(letter) ? `[${variants}]` : letter;
}
