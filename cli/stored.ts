/** What D1 holds of the measured functions, in numbers. */
import type { D1 } from "./cloudflare/d1.ts";

export interface Stored {
  functions: number;
  rollups: number;
  failures: number;
  calls: number;
  /** Days from the first to the last rollup, both included; 0 where there is none. */
  days: number;
  bytes: number | null;
}

const DAY_SECONDS = 86_400;

/** Reads every rollup's key once. */
export async function readStored(d1: D1, uuid: string): Promise<Stored> {
  const [functions, rollups, failures] = await d1.query<Record<string, number | null>>(
    uuid,
    { sql: "SELECT count(*) AS n, total(calls) AS calls FROM functions" },
    { sql: "SELECT count(*) AS n, min(start) AS first, max(start + width) AS last FROM rollups" },
    { sql: "SELECT count(*) AS n FROM failures" },
  );
  const { first, last } = rollups!.results[0]!;
  return {
    functions: functions!.results[0]!["n"] ?? 0,
    calls: functions!.results[0]!["calls"] ?? 0,
    rollups: rollups!.results[0]!["n"] ?? 0,
    failures: failures!.results[0]!["n"] ?? 0,
    days:
      typeof first === "number" && typeof last === "number"
        ? Math.ceil(last / DAY_SECONDS) - Math.floor(first / DAY_SECONDS)
        : 0,
    bytes: functions!.meta.size_after ?? null,
  };
}
