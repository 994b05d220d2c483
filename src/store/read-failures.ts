/** Queries for failures. */
import { inArray } from "drizzle-orm";
import type { SeenFailure } from "../stats/failures.ts";
import { isNamed, type Named } from "./read-functions.ts";
import type { Query } from "./read-with-ledger.ts";
import { failures, functions } from "./schema.ts";

export type StoredFailure = SeenFailure & { functionId: number };

/** The failures of all functions with the name. */
export const failuresOf =
  (named: Named): Query<StoredFailure[]> =>
  (orm) =>
    orm
      .select()
      .from(failures)
      .where(
        inArray(failures.functionId, orm.select({ id: functions.id }).from(functions).where(isNamed(named))),
      );
