/** Reads and writes the report of the last retention job, which is one row. */
import { drizzle } from "drizzle-orm/d1";
import { retentionRuns } from "./schema.ts";

export type LastRetention = Omit<typeof retentionRuns.$inferSelect, "id">;

/** Undefined if no retention job has ended yet. */
export async function readLastRetention(db: D1Database): Promise<LastRetention | undefined> {
  const [row] = await drizzle(db).select().from(retentionRuns).limit(1);
  if (!row) return undefined;
  const { id: _, ...last } = row;
  return last;
}

export async function recordRetention(db: D1Database, run: LastRetention): Promise<void> {
  await drizzle(db)
    .insert(retentionRuns)
    .values({ id: 0, ...run })
    .onConflictDoUpdate({ target: retentionRuns.id, set: run });
}
