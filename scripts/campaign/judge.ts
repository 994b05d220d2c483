/** What is to be said against a server, after all that was done to it: every sentence is a failure of the campaign. */
import type { Reader } from "./reader.ts";
import { compareTallies, type Tallies, totalsOf } from "./tally.ts";

export interface Evidence {
  /** What the clients called, by function and minute. */
  called: Tallies;
  /** What D1 has of it, by function and minute and by function. */
  rollups: Tallies;
  totals: Tallies;
  /** Calls that the clients gave up. */
  dropped: number;
  reader: Pick<Reader, "reads" | "refusals" | "violations">;
}

export interface Judgement {
  lost: number;
  doubled: number;
  differences: string[];
}

export function judge({ called, rollups, totals, dropped, reader }: Evidence): Judgement {
  const byMinute = compareTallies(rollups, called);
  const byFunction = compareTallies(totals, totalsOf(called));
  const { reads, refusals, violations } = reader;
  return {
    lost: byMinute.lost,
    doubled: byMinute.doubled,
    differences: [
      ...byMinute.lines,
      ...byFunction.lines,
      ...violations,
      ...(Object.keys(called).length === 0 ? ["Nothing was called."] : []),
      ...(dropped > 0 ? [`The clients dropped ${dropped} calls.`] : []),
      ...(reads === 0 ? ["No read was checked."] : []),
      // A dying server may answer with a 5xx. Any other refusal says that the reader is not let in, or asks nonsense.
      ...Object.entries(refusals)
        .filter(([status]) => Number(status) < 500)
        .map(([status, times]) => `The reader was refused ${times} times, with ${status}.`),
    ],
  };
}
