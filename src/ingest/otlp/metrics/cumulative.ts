/** Names the streams of cumulative points, and makes batches of them for the buffer. */
import type { CumulativePoint } from "../../../buffer/interface.ts";
import { byteLength } from "../../../byte-length.ts";
import type { Batch } from "../../batch.ts";
import { isTooOld } from "../../sample-delta.ts";
import { otlpLimits } from "../limits.ts";
import { type BatchSource, TOO_LATE } from "../series-sums.ts";
import type { Point, ResourceMetrics } from "../wire/metric-messages.ts";
import { attributesText, fingerprint } from "./fingerprint.ts";

export type { CumulativePoint };

const senders = new WeakMap<ResourceMetrics, string>();

/** A process, or whatever has a resource of its own. */
export function senderOf(resource: ResourceMetrics): string {
  const known = senders.get(resource);
  if (known !== undefined) return known;
  const sender = fingerprint(attributesText(resource.resource?.attributes));
  senders.set(resource, sender);
  return sender;
}

/** A metric of a scope with one set of attributes. */
export function streamOf({ attributes, parent: { parent: metric, as: kind } }: Point): string {
  const { scope } = metric.parent;
  const ofScope = [scope?.name, scope?.version, attributesText(scope?.attributes)];
  return fingerprint(JSON.stringify([ofScope, metric.name, metric.unit, kind, attributesText(attributes)]));
}

/**
 * Batches without keys: a cumulative point that comes again adds nothing, because the buffer knows that it has it.
 */
export function cumulativeBatches(
  bySender: ReadonlyMap<string, readonly CumulativePoint[]>,
  { digest, bytes }: BatchSource,
  now: number,
): Omit<Batch, "service">[] {
  const batches: Omit<Batch, "service">[] = [];
  let late = 0;
  let room = 0;
  let places = 0;
  for (const [sender, points] of bySender) {
    for (const point of points) {
      if (isTooOld(point.time, now)) {
        late++;
        continue;
      }
      const size = byteLength(JSON.stringify(point));
      if (batches.length === 0 || size > room || places === 0) {
        batches.push(emptyBatch(digest, bytes));
        room = otlpLimits.storedBytesPerBatch;
        places = otlpLimits.deltasPerBatch;
      }
      room -= size;
      places--;
      const { cumulative, answer } = batches.at(-1)!;
      answer.accepted++;
      if (cumulative!.at(-1)?.sender === sender) cumulative!.at(-1)!.points.push(point);
      else cumulative!.push({ sender, points: [point] });
    }
  }
  if (late > 0) {
    const first = batches[0] ?? emptyBatch(digest, bytes);
    if (batches.length === 0) batches.push(first);
    first.answer.rejected = late;
    first.answer.reasons.push({ index: 0, reason: TOO_LATE });
    first.rejected = { too_late: late };
  }
  return batches;
}

function emptyBatch(digest: string, weight: number): Omit<Batch, "service"> {
  return {
    key: null,
    digest,
    weight,
    deltas: [],
    cumulative: [],
    answer: { accepted: 0, rejected: 0, reasons: [] },
    rejected: {},
  };
}
