/** The one row that says what the last sweep did. */
import { drizzle } from "drizzle-orm/d1";
import { sweeps } from "./schema.ts";

export type LastSweep = Omit<typeof sweeps.$inferSelect, "id">;

export async function readLastSweep(db: D1Database): Promise<LastSweep | undefined> {
  const [row] = await drizzle(db).select().from(sweeps).limit(1);
  if (!row) return undefined;
  const { id: _, ...last } = row;
  return last;
}

export async function recordSweep(db: D1Database, sweep: LastSweep): Promise<void> {
  await drizzle(db)
    .insert(sweeps)
    .values({ id: 0, ...sweep })
    .onConflictDoUpdate({ target: sweeps.id, set: sweep });
}
