/** Reads data for the chosen range, and for the previous range of the same length to compare with. */
import { useMemo } from "preact/hooks";
import { clockSource, serverNow } from "../api/server-clock.ts";
import { type Live, useLive } from "../api/use-live.ts";
import { type Bounds, boundsOf, coveredBy, previousBounds, sameBounds } from "./bounds.ts";
import type { Range } from "./moment.ts";
import { refreshMs } from "./range.ts";

interface Covered {
  from?: string | null | undefined;
  to?: string | null | undefined;
}

export interface Compared<T, P> {
  now: Live<T>;
  /** What the answer covers. It can be wider than the range, because old data is kept by the hour or by the day. */
  covered: Bounds | undefined;
  /** Undefined until it is loaded, and if there is nothing to compare with. */
  previous: { data: P; covered: Bounds } | undefined;
  /** The request for the previous range. */
  loading: Live<P | undefined>;
  /** True if the server keeps the previous range too coarsely. */
  isIncomparable: boolean;
}

export interface Question<T, P> {
  /** Names the data. Equal names and ranges share cached answers. */
  name: string;
  range: Range;
  /** Overrides the interval that suits the range. */
  everyMs?: number | undefined;
  isPaused: boolean;
  read: (bounds: Bounds, signal: AbortSignal) => Promise<T>;
  readPrevious: (bounds: Bounds, signal: AbortSignal) => Promise<P>;
}

export function useCompared<T extends Covered, P extends Covered>(question: Question<T, P>): Compared<T, P> {
  const { name, range, isPaused, read, readPrevious } = question;
  const everyMs = question.everyMs ?? refreshMs(range, serverNow());
  const key = `${name} ${JSON.stringify(range)}`;
  const now = useLive(key, (signal) => readInRange(range, (bounds) => read(bounds, signal)), {
    everyMs,
    isPaused,
  });
  const covered = now.data ? coveredBy(now.data) : undefined;
  // Guessed before the first answer, so that both requests run at the same time.
  const guess = useMemo(() => boundsOf(range, serverNow()), [key]);
  const wanted = previousBounds(covered ?? guess, serverNow());

  const loading = useLive(
    wanted ? `${name} before ${wanted.from} ${wanted.to}` : `${name} before nothing`,
    async (signal) => (wanted ? readPrevious(wanted, signal) : undefined),
    { everyMs: null, isPaused },
  );
  return {
    now,
    covered,
    previous: comparable(loading.data, covered),
    loading,
    isIncomparable: covered !== undefined && wanted === undefined,
  };
}

/**
 * The bounds follow the server's clock. That is not known before the first answer, so a first request with other bounds
 * is repeated.
 */
export async function readInRange<T>(range: Range, read: (bounds: Bounds) => Promise<T>): Promise<T> {
  const wasKnown = clockSource() !== "none";
  const asked = boundsOf(range, serverNow());
  const answer = await read(asked);
  const right = boundsOf(range, serverNow());
  return wasKnown || sameBounds(asked, right) ? answer : read(right);
}

/** Only if it is as long and ends before the range begins. It may end a step earlier while the next one loads. */
function comparable<P extends Covered>(data: P | undefined, now: Bounds | undefined) {
  const covered = data && coveredBy(data);
  if (!data || !covered || !now) return undefined;
  const length = now.to - now.from;
  const isAsLong = covered.to - covered.from === length;
  const isBefore = covered.to <= now.from && now.from - covered.to < length / 2;
  return isAsLong && isBefore ? { data, covered } : undefined;
}
