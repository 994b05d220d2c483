/**
 * Finds functions and failures by parts of their names. FTS5 with trigrams indexes each when it first appears, and so
 * costs nothing while known functions are called. Words too short for a trigram are looked for row by row.
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
/** A word of a few letters is in everything: so many are looked at, the best or the most frequent first. */
const CANDIDATES = 500;

const inFunctions = sql`search_functions`;
const inFailures = sql`search_failures`;

/** Functions with every word in the service, the module or the name. */
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

/** Failures with every word in them or in their function's names, and at least one in the failure itself. */
export const failuresWith =
  (words: readonly string[]): Query<FoundFailure[]> =>
  (orm) => {
    const { service, module, name } = functions;
    const found = {
      service,
      module,
      // Named apart: D1 answers with objects, in which a second `name` would take the place of the first.
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

/** Every word that a trigram can find, each as a string in which FTS5 knows no syntax but the quote. */
function phraseOf(words: readonly string[], joint: " AND " | " OR " = " AND "): string {
  return words
    .filter(isIndexed)
    .map((word) => `"${word.replaceAll('"', '""')}"`)
    .join(joint);
}

/** Whether it has a trigram, which is of three code points. */
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

/** SQLite knows the cases of ASCII only: of other letters it is told both. */
function inBothCases(words: readonly string[]): string {
  return JSON.stringify(words.map((word) => [word, word.toUpperCase()]));
}

function isIn(text: SQL): SQL {
  return sql`(instr(lower(${text}), word.value ->> 0) > 0 OR instr(${text}, word.value ->> 1) > 0)`;
}
