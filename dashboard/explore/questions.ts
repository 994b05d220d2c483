/** What to ask the server for the range of the page: the query at its end for the table, and at its steps for the chart. */
import type { InstantQuestion, RangeQuestion } from "../api/prometheus-results.ts";
import { type Bounds, floorTo, stepFor, widthAt } from "../range/bounds.ts";
import type { Range } from "../range/moment.ts";
import { isLive } from "../range/range.ts";

export interface Questions {
  instant: InstantQuestion;
  range: RangeQuestion;
}

/** More series than anybody reads. */
const MOST_SERIES = "1000";

/** `bounds` are those of the range. The values of a live range are those of now. `now` is the server's time. */
export function questionsFor(query: string, range: Range, bounds: Bounds, now: number): Questions {
  const stepMs = chartStep(bounds, now);
  // The last step of a range that ends now is not over yet.
  const endMs = bounds.to > now ? floorTo(now, stepMs) : bounds.to;
  const startMs = endMs - Math.max(0, floorTo(endMs - bounds.from, stepMs));
  const time = isLive(range) ? {} : { time: seconds(Math.min(bounds.to, now)) };
  return {
    instant: { query, ...time, limit: MOST_SERIES },
    range: {
      query,
      start: seconds(startMs),
      end: seconds(endMs),
      step: seconds(stepMs),
      limit: MOST_SERIES,
    },
  };
}

/** In milliseconds: as long as those of the other pages' charts. */
export function chartStep(bounds: Bounds, now: number): number {
  return stepFor(bounds.to - bounds.from, widthAt(bounds.from, now));
}

const seconds = (ms: number): string => String(ms / 1000);
