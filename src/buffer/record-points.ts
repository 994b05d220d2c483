/**
 * Records cumulative points. What they add to the points before them is found out and stored in one transaction, together
 * with the points. So a retry, a crash and a second copy of a point add nothing: the point is known, or nothing of it is.
 */
import { byteLength } from "../byte-length.ts";
import { log } from "../log.ts";
import { type Delta, mergeDeltas } from "../stats/delta.ts";
import { differenceTo } from "../stats/point-difference.ts";
import { countOf, type PointValue } from "../stats/point.ts";
import { sumsOfPoint } from "../stats/point-sums.ts";
import { keyWithinService } from "../stats/series-id.ts";
import { chunkDeltas } from "./chunk-deltas.ts";
import type { CumulativePoint, PointBatch, PointResult, SenderPoints } from "./interface.ts";
import { withOverflow } from "./known-functions.ts";
import type { BufferLimits } from "./limits.ts";
import { hasRoom, quotaOwnerOf, type RecorderParts } from "./record.ts";
import type { Streams, StreamStore } from "./stream-store.ts";

export interface PointRecorderParts extends RecorderParts {
  streams: StreamStore;
}

/** What a batch adds, and what the buffer must remember of it. */
interface Found {
  deltas: Delta[];
  /** The streams of each sender of which a point is to be stored. */
  changed: Map<string, Streams>;
  /** Points that add something. */
  items: number;
  warnings: Record<string, number>;
}

/**
 * A stream that began earlier and is not known may have been counted before, so its first point counts nothing.
 *
 * WARNING: shorter than the time for which a stream is known (`KEPT_MS` in stream-store.ts). Otherwise a stream counts twice.
 */
const UNKNOWN_STREAM_MS = 48 * 60 * 60 * 1000;
/** WARNING: shorter than `KEPT_MS` in stream-store.ts by far. A stream that only stands still must not be forgotten: its next call would be lost. */
const STORED_AGAIN_MS = 24 * 60 * 60 * 1000;

export class PointRecorder {
  readonly #parts: PointRecorderParts;
  readonly #limits: BufferLimits;
  readonly #forgetAfterMs: () => number;

  constructor(parts: PointRecorderParts, limits: BufferLimits, forgetAfterMs: () => number) {
    this.#parts = parts;
    this.#limits = limits;
    this.#forgetAfterMs = forgetAfterMs;
  }

  /** Writes nothing if no point adds anything, which is what idle processes send. */
  record(batch: PointBatch, now: number): PointResult {
    return this.#parts.transaction.run(() => this.#record(batch, now));
  }

  #record({ service, senders, rejected }: PointBatch, now: number): PointResult {
    const { idempotency, functions, pending, rejections, streams } = this.#parts;
    const { deltas, changed, items, warnings } = this.#find(service, senders, now);
    if (Object.keys(warnings).length > 0) log("otlp_streams", { service, ...warnings });
    if (changed.size === 0) {
      rejections.add(rejected);
      return { status: "recorded", warnings };
    }
    idempotency.turnTo(now);
    functions.forgetSilent(now, this.#forgetAfterMs());
    const quotaOwner = quotaOwnerOf(functions, service);
    const merged = mergeDeltas(deltas);
    const bytes = byteLength(JSON.stringify(merged));
    if (!hasRoom(this.#parts, this.#limits, quotaOwner, bytes)) return { status: "overloaded", warnings: {} };
    rejections.add(rejected);
    for (const [sender, ofSender] of changed) {
      idempotency.countBytes(quotaOwner, streams.save(service, sender, ofSender, now), now);
    }
    if (merged.length === 0) return { status: "recorded", warnings };
    const called = [...new Set(merged.map((delta) => keyWithinService(delta.module, delta.function)))];
    const admission = functions.admit(service, called);
    functions.remember(admission.service, admission.called, now);
    let itemsLeft = items;
    for (const chunk of chunkDeltas(merged, this.#limits.storedBytesPerRow)) {
      const admitted = withOverflow(chunk, admission);
      pending.add(itemsLeft, admitted, byteLength(admitted), now);
      // A row with 0 items would count as left behind by an earlier seal.
      itemsLeft = 1;
    }
    return { status: "recorded", warnings };
  }

  #find(service: string, senders: readonly SenderPoints[], now: number): Found {
    const found: Found = { deltas: [], changed: new Map(), items: 0, warnings: {} };
    for (const { sender, points } of senders) {
      const streams = found.changed.get(sender) ?? this.#parts.streams.load(service, sender, now);
      for (const point of points) {
        const { stream, start, time, value } = point;
        const difference = differenceTo(streams.get(stream), { start, time, value }, now - UNKNOWN_STREAM_MS);
        const { counted, isStored, warning } = difference;
        const known = streams.get(stream);
        if (warning) found.warnings[warning] = (found.warnings[warning] ?? 0) + 1;
        const isAdding = counted !== null && amountOf(counted) > 0;
        // A stream that stands still is stored again once a day only. Until then, its points are compared with the older one.
        const standsStill = known !== undefined && counted !== null && !isAdding;
        if (!isStored || (standsStill && time - known.time < STORED_AGAIN_MS)) continue;
        streams.set(stream, { start, time, value });
        found.changed.set(sender, streams);
        if (!isAdding) continue;
        found.items++;
        found.deltas.push(deltaOf(service, point, counted, now));
      }
    }
    return found;
  }
}

function amountOf(value: PointValue): number {
  return typeof value === "number" ? value : countOf(value);
}

function deltaOf(service: string, point: CumulativePoint, counted: PointValue, now: number): Delta {
  const sums = sumsOfPoint(point, counted);
  // The last nanosecond before the point's time, which is not ahead of the clock.
  const seen = Math.min(Math.ceil(point.time) - 1, now);
  return {
    service,
    module: point.module,
    function: point.function,
    minute: Math.floor(seen / 60_000) * 60,
    firstSeen: seen,
    lastSeen: seen,
    ...sums,
    failures:
      point.failure !== null && sums.errors > 0
        ? [{ name: point.failure, message: "", calls: sums.errors }]
        : [],
  };
}
