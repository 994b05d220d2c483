/** Queries for failures. */
import { desc, inArray, max, min, sql } from "drizzle-orm";
import type { SeenFailure } from "../stats/failures.ts";
import { isNamed, type Named } from "./read-functions.ts";
import type { Query } from "./read-with-ledger.ts";
import { failures, functions } from "./schema.ts";

// Moved. Goes when no other file imports it from here.
export type { SeenFailure } from "../stats/failures.ts";

/** The failures of all functions with the name, merged, the most frequent first. */
export const failuresOf =
  (named: Named): Query<SeenFailure[]> =>
  (orm) => {
    const calls = sql`total(${failures.calls})`.mapWith(Number);
    return orm
      .select({
        name: failures.name,
        message: failures.message,
        calls,
        firstSeen: min(failures.firstSeen).mapWith(Number),
        lastSeen: max(failures.lastSeen).mapWith(Number),
      })
      .from(failures)
      .where(
        inArray(failures.functionId, orm.select({ id: functions.id }).from(functions).where(isNamed(named))),
      )
      .groupBy(failures.name, failures.message)
      .orderBy(desc(calls), failures.name, failures.message);
  };
