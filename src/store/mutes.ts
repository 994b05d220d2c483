/** Stores which functions a person has muted in `GET /attention`, why, and until when. */
import { and, eq, gt, lte } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { SeriesId } from "../stats/series-id.ts";
import { mutes } from "./schema.ts";

export interface Mute extends SeriesId {
  /** What does not need attention: "failing", "silent" or "slower". */
  kind: string;
  /** Epoch milliseconds. */
  until: number;
  reason: string;
}

/** Mutes that have not ended. `now` is in epoch milliseconds. */
export async function readMutes(db: D1Database, now: number): Promise<Mute[]> {
  const rows = await drizzle(db).select().from(mutes).where(gt(mutes.until, now));
  return rows.map(({ service, module, name, kind, until, reason }) => ({
    service,
    module,
    function: name,
    kind,
    until,
    reason,
  }));
}

/** Replaces an earlier mute of the same kind. Also deletes those that have ended. */
export async function putMute(db: D1Database, mute: Mute, now: number): Promise<void> {
  const orm = drizzle(db);
  const { service, module, function: name, kind, until, reason } = mute;
  await orm.batch([
    orm.delete(mutes).where(lte(mutes.until, now)),
    orm
      .insert(mutes)
      .values({ service, module, name, kind, until, reason })
      .onConflictDoUpdate({
        target: [mutes.service, mutes.name, mutes.module, mutes.kind],
        set: { until, reason },
      }),
  ]);
}

/** Whether there was one. */
export async function deleteMute(
  db: D1Database,
  { service, module, function: name, kind }: SeriesId & { kind: string },
): Promise<boolean> {
  const deleted = await drizzle(db)
    .delete(mutes)
    .where(
      and(eq(mutes.service, service), eq(mutes.module, module), eq(mutes.name, name), eq(mutes.kind, kind)),
    )
    .returning({ until: mutes.until });
  return deleted.length > 0;
}
