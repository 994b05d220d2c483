/** Builds the table's rows: each function in this range, and whether it needs attention now. */
import type { Attention, FunctionList } from "../api/client.ts";
import type { Kind } from "../parts/mark.tsx";
import { type Bounds, elapsedMs } from "../range/bounds.ts";
import type { Range } from "../range/moment.ts";
import { isLive } from "../range/range.ts";
import { keyOf, type Named, wordsOf } from "./matching.ts";

type Item = FunctionList["functions"][number];

export interface Row extends Item, Named {
  key: string;
  /** Since the first call, if that is within the range. */
  callsPerSecond: number;
  sparkline: NonNullable<Item["sparkline"]> & { isOpen: boolean };
  firstSeenAt: number;
  lastSeenAt: number;
  /** The most urgent reason why the function needs attention. Undefined in a range that does not end now. */
  attention: { kind: Kind; sentence: string } | undefined;
}

export interface Table {
  rows: Row[];
  services: string[];
}

/** The range, the bounds that the answer covers, and the server's time of the answer. */
interface Shown {
  range: Range;
  covered: Bounds;
  readAt: number;
}

/** One row for each function that the server knows, also without calls in the range. */
export function makeRows(
  { functions }: FunctionList,
  attention: Attention | undefined,
  { range, covered, readAt }: Shown,
): Table {
  const marks = new Map<string, Row["attention"]>();
  // The server sorts the most urgent first, so that is the last one set.
  for (const item of (isLive(range) && attention?.items.toReversed()) || []) {
    if (item.mute === null) marks.set(keyOf(item), item);
  }
  const rows = functions.map((item): Row => {
    const firstSeenAt = Date.parse(item.firstSeen);
    const key = keyOf(item);
    return {
      ...item,
      key,
      words: wordsOf(item),
      callsPerSecond: (item.calls * 1000) / elapsedMs(covered, readAt, firstSeenAt),
      sparkline: { ...(item.sparkline ?? { calls: [], errors: [] }), isOpen: isLive(range) },
      firstSeenAt,
      lastSeenAt: Date.parse(item.lastSeen),
      attention: marks.get(key),
    };
  });
  return { rows, services: [...new Set(rows.map(({ service }) => service))].sort() };
}
