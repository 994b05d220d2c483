/** Defines the columns of the functions table: title, content and format. */
import type { ComponentChildren } from "preact";
import { ago, count, duration, exact, exactly, percent, rate } from "../format.ts";
import { Quantity } from "../parts/quantity.tsx";
import { Unmeasurable } from "../parts/unmeasurable.tsx";
import { useTimes } from "../times/times.ts";
import type { Sort } from "../view/view.ts";
import type { Row } from "./rows.ts";

export interface Column {
  key: Sort;
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
    cell: (row) => <Quantity value={count(row.calls)} exact={exactly(row.calls, "call")} />,
  },
  {
    key: "callsPerSecond",
    title: "Calls/s",
    cell: (row) => (
      <Quantity value={rate(row.callsPerSecond)} exact={`${exact(row.callsPerSecond)} calls per second`} />
    ),
  },
  {
    key: "errors",
    title: "Errors",
    cell: (row) => <Quantity value={count(row.errors)} exact={exactly(row.errors, "error")} />,
  },
  {
    key: "errorRate",
    title: "Error rate",
    cell: (row) =>
      row.errorRate === null ? (
        <span class="absent" title="There were no calls in this range.">
          –
        </span>
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
  cell: (row, now) => <LastSeen at={row.lastSeenAt} now={now} />,
  isMarked: (row) => row.attention?.kind === "silent",
};

function LastSeen({ at, now }: { at: number; now: number }) {
  const times = useTimes();
  return <span title={`${times.moment(at)} ${times.offset(at)}`}>{ago(at, now)}</span>;
}

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
