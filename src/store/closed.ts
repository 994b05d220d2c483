/** Tells which hours and which days are closed. See `close-rollups.ts`. */
import { drizzle } from "drizzle-orm/d1";
import { DAY, HOUR, MINUTE } from "../stats/tiers.ts";
import type { Query } from "./read-with-ledger.ts";
import { closed } from "./schema.ts";

/** What can be closed, with the lengths of its rollups and of the finer ones that they include, in seconds. */
export const TIERS = {
  hours: { resolution: HOUR, finer: MINUTE },
  days: { resolution: DAY, finer: HOUR },
} as const;
export type Tier = keyof typeof TIERS;

/** Times are epoch seconds. The fields are explained at the table `closed`. */
export interface ClosedState {
  until: number;
  next: number;
  upto: number;
}

const NOTHING: ClosedState = { until: 0, next: 0, upto: 0 };

export const closedRows = (): Query<(typeof closed.$inferSelect)[]> => (orm) => orm.select().from(closed);

/** When the open hours begin, and when the open days begin, in epoch seconds. */
export function openFrom(rows: readonly (typeof closed.$inferSelect)[]): Record<Tier, number> {
  return { hours: stateOf(rows, "hours").until, days: stateOf(rows, "days").until };
}

export async function readClosed(db: D1Database, tier: Tier): Promise<ClosedState> {
  return stateOf(await drizzle(db).select().from(closed), tier);
}

function stateOf(rows: readonly (typeof closed.$inferSelect)[], tier: Tier): ClosedState {
  return rows.find((row) => row.resolution === TIERS[tier].resolution) ?? NOTHING;
}

/** SQL: when the open hours or days of the function `f` begin. */
export const openFromOf = (tier: Tier) =>
  `coalesce((SELECT iif(f.id <= upto, next, until) FROM closed WHERE resolution = ${TIERS[tier].resolution}), 0)`;
