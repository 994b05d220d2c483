/** Builds the table's rows: each function in this range and in the previous one, and whether it needs attention. */
import type { FunctionList } from "../api/client.ts";
import { type Bounds, elapsedMs } from "../range/bounds.ts";
import type { Range } from "../range/moment.ts";
import { isLive } from "../range/range.ts";
import type { View } from "../view/view.ts";
import { type Attention, attentionOf, compareAttention, type Period } from "./attention.ts";

type Item = FunctionList["functions"][number];

export interface Row extends Item {
  key: string;
  /** The text that a search looks at, in lower case. */
  words: string;
  /** Since the first call, if that is within the range. */
  callsPerSecond: number;
  sparkline: NonNullable<Item["sparkline"]> & { isOpen: boolean };
  firstSeenAt: number;
  lastSeenAt: number;
  previous: Item | undefined;
  attention: Attention | undefined;
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
  now: FunctionList,
  before: Pick<FunctionList, "functions"> | undefined,
  { range, covered, readAt }: Shown,
): Table {
  const previous = new Map(before?.functions.map((item) => [keyOf(item), item]));
  const period: Period = {
    lengthMs: covered.to - covered.from,
    endsAt: Math.min(readAt, covered.to),
    stepMs: (now.stepSeconds ?? 60) * 1000,
  };
  const rows = now.functions.map((item): Row => {
    const firstSeenAt = Date.parse(item.firstSeen);
    const row: Row = {
      ...item,
      key: keyOf(item),
      words: `${item.service}\n${item.module}\n${item.function}`.toLowerCase(),
      callsPerSecond: (item.calls * 1000) / elapsedMs(covered, readAt, firstSeenAt),
      sparkline: { ...(item.sparkline ?? { calls: [], errors: [] }), isOpen: isLive(range) },
      firstSeenAt,
      lastSeenAt: Date.parse(item.lastSeen),
      previous: previous.get(keyOf(item)),
      attention: undefined,
    };
    row.attention = attentionOf(row, period);
    return row;
  });
  return { rows, services: [...new Set(rows.map(({ service }) => service))].sort() };
}

/** Keeps rows of the chosen service that contain every search word in the service, the module or the name. */
export function filterRows(rows: readonly Row[], { service, q }: Pick<View, "service" | "q">): Row[] {
  const words = q.normalize("NFC").toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter(
    (row) => (service === "" || row.service === service) && words.every((word) => row.words.includes(word)),
  );
}

export function needingAttention(rows: readonly Row[]): Row[] {
  return rows.filter((row) => row.attention).sort((a, b) => compareAttention(a.attention!, b.attention!));
}

function keyOf({ service, module, function: name }: Item): string {
  return `${service}\n${module}\n${name}`;
}
