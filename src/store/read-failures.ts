/** Queries of failures. */
import { inArray } from "drizzle-orm";
import type { Failure } from "../stats/delta.ts";
import { isNamed, type Named } from "./read-functions.ts";
import type { Query } from "./read-with-ledger.ts";
import { failures, functions } from "./schema.ts";

/** Times are epoch milliseconds. */
export type SeenFailure = Failure & { firstSeen: number; lastSeen: number };
export type StoredFailure = SeenFailure & { functionId: number };

/** The failures of every function of the name. */
export const failuresOf =
  (named: Named): Query<StoredFailure[]> =>
  (orm) =>
    orm
      .select()
      .from(failures)
      .where(
        inArray(failures.functionId, orm.select({ id: functions.id }).from(functions).where(isNamed(named))),
      );
