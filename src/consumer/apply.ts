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
  /** Names of sinks that now have something to send. */
  sinks: string[];
}

/** Applies all flushes in one transaction. If that fails, applies them one by one, so that a bad one does not affect the others. */
export async function applyDeliveries(db: D1Database, deliveries: readonly Delivery[]): Promise<Outcome> {
  const outcome: Outcome = { applied: [], premature: [], failed: [], sinks: [] };
  if (deliveries.length === 0) return outcome;
  try {
    const { premature, sinks } = await applyFlushes(
      db,
      deliveries.map(({ flush }) => flush),
    );
    for (const delivery of deliveries) {
      outcome[premature.includes(delivery.flush) ? "premature" : "applied"].push(delivery);
    }
    return { ...outcome, sinks };
  } catch (error) {
    if (deliveries.length === 1) return { ...outcome, failed: [{ delivery: deliveries[0]!, error }] };
  }
  for (const delivery of deliveries) {
    const { applied, premature, failed, sinks } = await applyDeliveries(db, [delivery]);
    outcome.applied.push(...applied);
    outcome.premature.push(...premature);
    outcome.failed.push(...failed);
    if (sinks.length > 0) outcome.sinks = sinks;
  }
  return outcome;
}
