/** Defines the columns of the functions table: title, content and format. */
import type { ComponentChildren } from "preact";
import { ago, at, count, duration, exact, percent, rate } from "../format.ts";
import { Quantity } from "../parts/quantity.tsx";
import { Unmeasurable } from "../parts/unmeasurable.tsx";
import type { Row } from "./rows.ts";

export interface Column {
  key: string;
  title: string;
  /** Explains the title, as a tooltip. */
  hint?: string;
  cell: (row: Row, now: number) => ComponentChildren;
  /** Whether this cell shows the reason for attention. */
  isMarked?: (row: Row) => boolean;
}

export const COUNTS: Column[] = [
  {
    key: "calls",
    title: "Calls",
    cell: (row) => <Quantity value={count(row.calls)} exact={`${exact(row.calls)} calls`} />,
  },
  {
    key: "callsPerSecond",
    title: "Calls/s",
    cell: (row) => (
      <Quantity value={rate(row.callsPerSecond)} exact={`${exact(row.callsPerSecond)} calls a second`} />
    ),
  },
  {
    key: "errors",
    title: "Errors",
    cell: (row) => <Quantity value={count(row.errors)} exact={`${exact(row.errors)} errors`} />,
  },
  {
    key: "errorRate",
    title: "Error rate",
    cell: (row) =>
      row.errorRate === null ? (
        <span class="absent">–</span>
      ) : (
        <Quantity value={percent(row.errorRate)} exact={`${exact(row.errorRate * 100)} % of calls`} />
      ),
    isMarked: (row) => row.attention?.kind === "failing",
  },
];

export const DURATIONS: Column[] = [
  durationColumn("averageMs", "Average", "The mean of all measured calls"),
  durationColumn("p50Ms", "p50", "Half of the calls are faster"),
  {
    ...durationColumn("p95Ms", "p95", "95 of 100 calls are faster"),
    isMarked: (row) => row.attention?.kind === "slower",
  },
  durationColumn("p99Ms", "p99", "99 of 100 calls are faster"),
];

export const LAST_SEEN: Column = {
  key: "lastSeen",
  title: "Last seen",
  cell: (row, now) => <span title={at(row.lastSeenAt)}>{ago(row.lastSeenAt, now)}</span>,
  isMarked: (row) => row.attention?.kind === "silent",
};

function durationColumn(key: "averageMs" | "p50Ms" | "p95Ms" | "p99Ms", title: string, hint: string): Column {
  return {
    key,
    title,
    hint,
    cell: (row) => {
      const ms = row[key];
      if (ms !== null) return <Quantity value={duration(ms)} exact={exact(ms, "ms")} />;
      return <Unmeasurable calls={row.calls} isShort={key !== "p95Ms"} />;
    },
  };
}
