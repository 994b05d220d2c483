/**
 * Stores the cache of `GET /attention` in D1, so that a new isolate need not read the whole past again: D1 bills each row that
 * it reads, and the past of one function can have 3,600. At most once an hour, and only where the past is long.
 *
 * A stored cache is a copy of an earlier time. The isolate refreshes it as it refreshes its own (see attention-memory): what
 * does not add up to the totals in D1 is read again.
 */
import { callBinding } from "../call-binding.ts";
import { logError } from "../log.ts";
import type { Counts } from "../stats/attention-rates.ts";
import { floorTo } from "../stats/interval.ts";
import { HOUR, MINUTE } from "../stats/tiers.ts";
import { type AttentionPart, readAttentionParts, replaceAttentionParts } from "../store/attention-memory.ts";
import {
  type EarlierMemory,
  HISTOGRAMS,
  type KnownFunction,
  type Memory,
  OVERLAP,
  withoutDurations,
} from "./attention-memory.ts";

export const storedLimits = {
  /** A shorter past is cheaper to read again. In minutes and hours that have calls. */
  minRollups: 2_000,
  /** Characters in one row. D1 allows 2 MB. */
  partCharacters: 500_000,
  /** Functions beyond are not stored. */
  characters: 8_000_000,
  everyMs: HOUR * 1000,
};

/** [start, calls, errors] of each minute or hour, one after the other. A start is in units of `width` since the one before. */
type Series = number[];

type Stored = [
  id: number,
  service: string,
  module: string,
  name: string,
  firstSeen: number,
  earlierCalls: number,
  earlierErrors: number,
  minutes: Series,
  hours: Series | null,
];

/** The stored cache. Undefined if there is none, or if it cannot be read: then everything is read anew. */
export async function readStored(env: Pick<Env, "DB">): Promise<EarlierMemory | undefined> {
  try {
    const parts = await callBinding("D1", () => readAttentionParts(env.DB));
    const [first] = parts;
    if (!first) return undefined;
    const functions = parts.flatMap((part) => JSON.parse(part.functions) as Stored[]).map(toKnown);
    return {
      epoch: first.epoch,
      readAt: first.readAt,
      functions: new Map(functions.map((known) => [known.id, known])),
    };
  } catch (error) {
    logError("attention_not_recalled", error);
    return undefined;
  }
}

/** Stores the cache if its past is long. Returns whether it did. A failure is logged, because the answer does not need it. */
export async function store(env: Pick<Env, "DB">, memory: Memory): Promise<boolean> {
  const known = [...memory.functions.values()].sort((a, b) => lengthOf(b) - lengthOf(a));
  if (known.reduce((sum, one) => sum + lengthOf(one), 0) < storedLimits.minRollups) return false;
  try {
    const parts = partsOf(memory, known);
    await callBinding("D1", () => replaceAttentionParts(env.DB, parts));
    return true;
  } catch (error) {
    logError("attention_not_stored", error);
    return false;
  }
}

function lengthOf({ minutes, hours }: KnownFunction): number {
  return hours ? minutes.size + hours.size : 0;
}

function partsOf({ epoch, readAt }: Memory, known: readonly KnownFunction[]): AttentionPart[] {
  // Without the time from which histograms are read: the refresh reads that again.
  const end = floorTo(readAt / 1000 - HISTOGRAMS - MINUTE, MINUTE);
  const rows: string[] = [""];
  let left = storedLimits.characters;
  for (const one of known) {
    const text = JSON.stringify(toStored(one, end));
    left -= text.length;
    if (left < 0) break;
    const last = rows.length - 1;
    if (rows[last] === "") rows[last] = text;
    else if (rows[last]!.length + text.length < storedLimits.partCharacters) rows[last] += `,${text}`;
    else rows.push(text);
  }
  return rows.map((text, part) => ({
    part,
    epoch,
    readAt: (end + OVERLAP) * 1000,
    functions: `[${text}]`,
  }));
}

function toStored(known: KnownFunction, end: number): Stored {
  const { id, service, module, function: name, firstSeen, earlier, hours } = known;
  const minutes = [...known.minutes.values()].filter(({ start }) => start < end);
  return [
    id,
    service,
    module,
    name,
    firstSeen,
    earlier.calls,
    earlier.errors,
    toSeries(minutes, MINUTE),
    hours ? toSeries(hours.values(), HOUR) : null,
  ];
}

function toKnown([
  id,
  service,
  module,
  name,
  firstSeen,
  calls,
  errors,
  minutes,
  hours,
]: Stored): KnownFunction {
  const known: KnownFunction = {
    id,
    service,
    module,
    function: name,
    firstSeen,
    // Unknown until the refresh reads them.
    calls: Number.NaN,
    errors: Number.NaN,
    lastSeen: 0,
    minutes: new Map(fromSeries(minutes, MINUTE).map((one) => [one.start, withoutDurations(one)])),
    earlier: { calls, errors },
  };
  if (hours) known.hours = new Map(fromSeries(hours, HOUR).map((one) => [one.start, one]));
  return known;
}

function toSeries(counts: Iterable<Counts>, width: number): Series {
  let last = 0;
  return [...counts]
    .sort((a, b) => a.start - b.start)
    .flatMap(({ start, calls, errors }) => {
      const since = start / width - last;
      last = start / width;
      return [since, calls, errors];
    });
}

function fromSeries(series: Series, width: number): Counts[] {
  let last = 0;
  return Array.from({ length: series.length / 3 }, (_, i) => {
    last += series[3 * i]!;
    return { start: last * width, calls: series[3 * i + 1]!, errors: series[3 * i + 2]! };
  });
}
