/**
 * Queries that find functions and failures by parts of their names and messages.
 *
 * FTS5 indexes with trigrams get each name once, when it first appears, so that calls of known functions cost nothing. For a
 * word that is too short for a trigram, the query scans rows.
 */
import { and, desc, eq, or, type SQL, sql } from "drizzle-orm";
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

/** Functions that contain every word in their service, module or name. */
export const functionsWith =
  (words: readonly string[]): Query<FoundFunction[]> =>
  (orm) => {
    const { service, module, name, calls, errors, firstSeen, lastSeen } = functions;
    const found = { service, module, function: name, calls, errors, firstSeen, lastSeen };
    const text = sql`${service} || ' ' || ${module} || ' ' || ${name}`;
    const phrase = phraseOf(words);
    const isShort = containsShort(text, words);
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

/** Failures whose own texts and function's names together contain every word, and whose own texts contain at least one. */
export const failuresWith =
  (words: readonly string[]): Query<FoundFailure[]> =>
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
    const phrase = phraseOf(words);
    if (phrase === "") {
      return orm
        .select(found)
        .from(failures)
        .innerJoin(functions, eq(functions.id, failures.functionId))
        .where(and(containsShort(all, words), containsOneShort(own, words)))
        .orderBy(desc(failures.calls))
        .limit(CANDIDATES);
    }
    const inTheFailure = `{name message} : (${phraseOf(words, " OR ")})`;
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
          containsShort(all, words),
          or(
            sql`search_failures.rowid IN (SELECT rowid FROM search_failures WHERE search_failures MATCH ${inTheFailure})`,
            containsOneShort(own, words),
          ),
        ),
      )
      .orderBy(sql`search_failures.rank`)
      .limit(CANDIDATES);
  };

/** An FTS5 query for the words that a trigram can find. Each is quoted, so that FTS5 sees no syntax in it. */
function phraseOf(words: readonly string[], joint: " AND " | " OR " = " AND "): string {
  return words
    .filter(isIndexed)
    .map((word) => `"${word.replaceAll('"', '""')}"`)
    .join(joint);
}

/** Whether the word has a trigram. FTS5 counts code points. */
function isIndexed(word: string): boolean {
  return Array.from(word).length >= TRIGRAM;
}

function containsShort(text: SQL, words: readonly string[]): SQL | undefined {
  const short = words.filter((word) => !isIndexed(word));
  if (short.length === 0) return undefined;
  return sql`NOT EXISTS (SELECT 1 FROM json_each(${inBothCases(short)}) AS word WHERE NOT ${isIn(text)})`;
}

function containsOneShort(text: SQL, words: readonly string[]): SQL {
  const short = words.filter((word) => !isIndexed(word));
  return sql`EXISTS (SELECT 1 FROM json_each(${inBothCases(short)}) AS word WHERE ${isIn(text)})`;
}

/** Each word in lower and upper case, because SQLite changes the case of ASCII letters only. */
function inBothCases(words: readonly string[]): string {
  return JSON.stringify(words.map((word) => [word, word.toUpperCase()]));
}

function isIn(text: SQL): SQL {
  return sql`(instr(lower(${text}), word.value ->> 0) > 0 OR instr(${text}, word.value ->> 1) > 0)`;
}
