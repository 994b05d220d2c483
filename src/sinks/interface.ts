/** What the object of a sink tells others. Plain values, because they travel between Workers of different versions. */
import type { TimeRange } from "./progress.ts";
import type { HeldUp } from "./trouble.ts";

/** What D1 must keep for a sink. */
export interface SinkNeeds {
  /** The `seq` of its cursor. */
  cursor: number;
  /** The `seq` up to which the store has every deletion. */
  deletedTo: number;
  /** While it walks through the rollups: the first minute and the first hour that it needs, in epoch seconds. */
  walk: { minutes: number; hours: number } | null;
}

export interface SinkStatus {
  name: string;
  /** Without secrets. */
  configuration: Record<string, string | number | boolean>;
  /** The `seq` of its cursor. Null if it has not begun. */
  cursor: number | null;
  isBeginning: boolean;
  /** Rows that the walk at the beginning has sent. Null if it has ended. */
  sentOfBeginning: number | null;
  trouble: HeldUp | null;
  refused: number;
  /** Some of the refused rows. `start` is epoch seconds. */
  refusedRows: { service: string; module: string; function: string; start: number; reason: string }[];
  /** Time for which the store has hours although minutes were due. */
  coarse: TimeRange | null;
}
