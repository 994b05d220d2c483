/** Compares what the campaign's clients called with what D1 and the reads show, and lists every difference. */
import type { Reader } from "./reader.ts";
import { compareTallies, type Tallies, totalsOf } from "./tally.ts";

export interface Evidence {
  /** What the clients called, by function and minute. */
  called: Tallies;
  /** The calls in D1, by function and minute. */
  rollups: Tallies;
  /** The calls in D1, by function. */
  totals: Tallies;
  /** The calls in the store of the sink, by function and minute. */
  sink: Tallies;
  /** Calls that the clients dropped. */
  dropped: number;
  reader: Pick<Reader, "reads" | "refusals" | "violations">;
}

export interface Judgement {
  lost: number;
  doubled: number;
  /** One sentence for each difference. Empty if every call was counted once. */
  differences: string[];
}

export function judge({ called, rollups, totals, sink, dropped, reader }: Evidence): Judgement {
  const byMinute = compareTallies(rollups, called);
  const byFunction = compareTallies(totals, totalsOf(called));
  const { reads, refusals, violations } = reader;
  return {
    lost: byMinute.lost,
    doubled: byMinute.doubled,
    differences: [
      ...byMinute.lines,
      ...byFunction.lines,
      ...compareTallies(sink, called).lines.map((line) => `The store of the sink: ${line}`),
      ...violations,
      ...(Object.keys(called).length === 0 ? ["The clients made no calls."] : []),
      ...(dropped > 0 ? [`The clients dropped ${dropped} calls.`] : []),
      ...(reads === 0 ? ["No read got an answer that could be checked."] : []),
      // A server that is being killed may answer 5xx. Any other error means that the reader's request was wrong.
      ...Object.entries(refusals)
        .filter(([status]) => Number(status) < 500)
        .map(([status, times]) => `The server answered ${times} reads with ${status}.`),
    ],
  };
}
