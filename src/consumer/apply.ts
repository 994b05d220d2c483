/** Applies the flushes of one delivery to D1. */
import { applyFlushes } from "../store/apply-flushes.ts";
import type { Delivery } from "./deliveries.ts";

export interface Outcome {
  /** Flushes that D1 has, whether applied now or before. */
  applied: Delivery[];
  /** Flushes that D1 may or may not have. Applying them again is safe. */
  failed: { delivery: Delivery; error: unknown }[];
}

/** Applies all flushes in one transaction. If that fails, applies them one by one, so that a bad one does not affect the others. */
export async function applyDeliveries(db: D1Database, deliveries: readonly Delivery[]): Promise<Outcome> {
  if (deliveries.length === 0) return { applied: [], failed: [] };
  try {
    await applyFlushes(
      db,
      deliveries.map(({ flush }) => flush),
    );
    return { applied: [...deliveries], failed: [] };
  } catch (error) {
    if (deliveries.length === 1) return { applied: [], failed: [{ delivery: deliveries[0]!, error }] };
  }
  const outcome: Outcome = { applied: [], failed: [] };
  for (const delivery of deliveries) {
    const { applied, failed } = await applyDeliveries(db, [delivery]);
    outcome.applied.push(...applied);
    outcome.failed.push(...failed);
  }
  return outcome;
}
