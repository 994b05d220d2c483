/** Stores what `GET /attention` has read of the past, in few large rows. A new isolate reads these instead of the rollups. */
import { drizzle } from "drizzle-orm/d1";
import { attentionMemory } from "./schema.ts";

export type AttentionPart = typeof attentionMemory.$inferSelect;

export async function readAttentionParts(db: D1Database): Promise<AttentionPart[]> {
  const orm = drizzle(db);
  // D1 sends a batch to the primary database.
  const [parts] = await orm.batch([orm.select().from(attentionMemory)]);
  return parts;
}

/** Replaces all parts in one transaction. */
export async function replaceAttentionParts(db: D1Database, parts: readonly AttentionPart[]): Promise<void> {
  const orm = drizzle(db);
  await orm.batch([
    orm.delete(attentionMemory),
    ...parts.map((part) => orm.insert(attentionMemory).values(part)),
  ]);
}
