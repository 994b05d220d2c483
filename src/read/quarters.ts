/** Reads, once every quarter of an hour, the durations by which functions are judged to be slower. */
import type { Percentile } from "../stats/attention-durations.ts";
import { lastQuarter, slownessLimits } from "../stats/attention-durations.ts";
import { type SeriesId, seriesKey } from "../stats/series-id.ts";
import type { Sums } from "../stats/sums.ts";
import { type DurationMemory, percentileOf, readPastDurations } from "./attention-durations.ts";
import { readRecentCalls } from "./recent-calls.ts";
import type { ReadBindings } from "./series.ts";

export interface QuarterDurations extends SeriesId {
  /** Latest first. */
  quarters: Percentile[];
  hours: Percentile[];
}

/**
 * The durations of all functions that have enough measured calls to be judged. Reads the minutes of two quarters, and of each
 * such function some 42 hours of earlier days.
 *
 * @returns by `seriesKey`
 * @throws {BusyError | BindingFault}
 */
export async function readQuarters(
  env: ReadBindings,
  seenSince: number,
  nowSeconds: number,
): Promise<Map<string, QuarterDurations>> {
  const { quarterSeconds, minMeasured } = slownessLimits;
  const last = lastQuarter(nowSeconds);
  const start = last - quarterSeconds;
  const recent = await readRecentCalls(env, { seenSince, start, histograms: start });
  const timed = recent.flatMap((series) => {
    const quarters = [last, start].map((from) =>
      percentileOf(
        from,
        series.minutes
          .filter((part) => part.start >= from && part.start < from + quarterSeconds)
          .map((part): Sums => ({
            ...part,
            unmeasured: part.calls - part.measured,
            minMs: null,
            buckets: part.buckets ?? [],
          })),
      ),
    );
    const isTimed = quarters.every(({ measured }) => measured >= minMeasured);
    return isTimed && series.id !== null ? [{ series, quarters, known: { id: series.id }, deltas: [] }] : [];
  });
  const memory: DurationMemory = new Map();
  await readPastDurations(env, memory, timed, nowSeconds * 1000);
  return new Map(
    timed.map(({ series, quarters, known }) => {
      const past = memory.get(known.id);
      const { service, module, function: name } = series;
      return [
        seriesKey(series),
        { service, module, function: name, quarters: past?.quarters ?? quarters, hours: past?.hours ?? [] },
      ];
    }),
  );
}
