/** Applies the flushes of one delivery to D1. */
import { applyFlushes } from "../store/apply-flushes.ts";
import type { Delivery } from "./deliveries.ts";

export interface Outcome {
  /** Flushes that D1 has, whether applied now or before. */
  applied: Delivery[];
  /** Flushes that D1 does not take yet, because it lacks a deletion before them. */
  premature: Delivery[];
  /** Flushes that D1 may or may not have. Applying them again is safe. */
  failed: { delivery: Delivery; error: unknown }[];
}

/** Applies all flushes in one transaction. If that fails, applies them one by one, so that a bad one does not affect the others. */
export async function applyDeliveries(db: D1Database, deliveries: readonly Delivery[]): Promise<Outcome> {
  const outcome: Outcome = { applied: [], premature: [], failed: [] };
  if (deliveries.length === 0) return outcome;
  try {
    const premature = await applyFlushes(
      db,
      deliveries.map(({ flush }) => flush),
    );
    for (const delivery of deliveries) {
      outcome[premature.includes(delivery.flush) ? "premature" : "applied"].push(delivery);
    }
    return outcome;
  } catch (error) {
    if (deliveries.length === 1) return { ...outcome, failed: [{ delivery: deliveries[0]!, error }] };
  }
  for (const delivery of deliveries) {
    const { applied, premature, failed } = await applyDeliveries(db, [delivery]);
    outcome.applied.push(...applied);
    outcome.premature.push(...premature);
    outcome.failed.push(...failed);
  }
  return outcome;
}
