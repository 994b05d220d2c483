/** A batch as its sender froze it, and the calls in it that count. */
import { ingestLimits } from "../../src/ingest/limits.ts";
import type { Part } from "./counts.ts";
import type { Call } from "./step.ts";

/** The buffer knows a key for at least this long. */
export const KEY_KNOWN_MS = 72 * 60 * 60 * 1000;

export interface Batch {
  service: string;
  key: string | undefined;
  samples: unknown[];
  /** Set if it is a request of OTLP, which has no key and no samples. */
  otlp?: { path: string; body: string };
  /** By how much the sender's clock is wrong. Unless it is 0, the sender says when it made the batch by that clock. */
  clockErrorMs: number;
  /** When it was first sent. If it arrived, its calls count as of this time. */
  sentAt: number;
  /** The calls that count if the buffer records it at that time. */
  partsAt(now: number): Part[];
  /** The places of the samples that do not count then. */
  rejectedAt(now: number): number[];
}

/** A batch with calls of one service. `key` is undefined if the sender gives none. */
export function batchOf(
  service: string,
  calls: readonly Omit<Call, "service">[],
  key: string | undefined,
  now: number,
  clockErrorMs = 0,
): Batch {
  const dated = calls.map((call) => ({
    ...call,
    at: call.minutesAgo === undefined ? undefined : now - call.minutesAgo * 60_000,
  }));
  /** The server dates the samples of a wrong clock by its own. If that was set back, it finds the batch younger. */
  const atAt = ({ at }: DatedCall, time: number) =>
    at !== undefined && clockErrorMs !== 0 ? at + Math.min(0, time - now) : at;
  const counts = (call: DatedCall, time: number) =>
    (atAt(call, time) ?? Infinity) >= time - ingestLimits.sampleAgeMs;
  return {
    service,
    key,
    samples: dated.map((call) =>
      sampleOf({ ...call, at: call.at === undefined ? undefined : call.at + clockErrorMs }),
    ),
    clockErrorMs,
    sentAt: now,
    partsAt: (time) =>
      dated
        .filter((call) => counts(call, time))
        .map((call) => partOf(service, call, Math.min(atAt(call, time) ?? time, time))),
    rejectedAt: (time) => dated.flatMap((call, place) => (counts(call, time) ? [] : [place])),
  };
}

type DatedCall = Omit<Call, "service"> & { at: number | undefined };

function sampleOf({ function: name, ms, at, error, times }: DatedCall): unknown {
  const where = { function: name, ...(at === undefined ? {} : { at }) };
  if (times === 1) {
    return { ...where, durationMs: ms, ...(error && { error: { name: error, message: "m" } }) };
  }
  return {
    ...where,
    calls: times,
    ...(ms > 0
      ? { sumMs: ms * times, minMs: ms, maxMs: ms, histogram: { [bucketOf(ms)]: times } }
      : { unmeasured: times }),
    ...(error && { errors: times, failures: [{ name: error, message: "m", calls: times }] }),
  };
}

function partOf(service: string, { function: name, ms, error, times }: DatedCall, at: number): Part {
  return {
    function: `${service}/${name}`,
    minute: Math.floor(at / 60_000) * 60,
    calls: times,
    errors: error ? times : 0,
    unmeasured: ms > 0 ? 0 : times,
    sumUs: Math.round(ms * 1000) * times,
    minMs: ms > 0 ? ms : null,
    maxMs: ms > 0 ? ms : null,
    histogram: ms > 0 ? { [bucketOf(ms)]: times } : {},
    failures: error ? { [error]: times } : {},
  };
}

/** The index i with ms in (2^(i/32), 2^((i+1)/32)]. */
function bucketOf(ms: number): number {
  let i = 0;
  while (2 ** (i / 32) >= ms) i--;
  while (2 ** ((i + 1) / 32) < ms) i++;
  return i;
}
