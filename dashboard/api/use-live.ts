/** Reads data from the API and refreshes it at an interval while the page is visible. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { cached, keep } from "./answer-cache.ts";
import { isPassing } from "./answers.ts";
import { serverNow } from "./server-clock.ts";

export interface Live<T> {
  /** The last answer for this key, or for the previous key while this one loads. */
  data: T | undefined;
  /** Whether `data` belongs to this key. */
  isCurrent: boolean;
  /** The error of the last request. It is undefined after a success. */
  error: Error | undefined;
  isLoading: boolean;
  /** The server's time when `data` arrived, in epoch milliseconds. */
  readAt: number;
  /** The real interval between refreshes in milliseconds. Null if nothing is refreshed. */
  intervalMs: number | null;
  refresh: () => void;
}

interface State<T> {
  key: string;
  data: T | undefined;
  dataKey: string;
  error: Error | undefined;
  isLoading: boolean;
  readAt: number;
  tookMs: number;
}

export interface Schedule {
  /** Null for data that does not change, such as a fixed range. */
  everyMs: number | null;
  /** Paused data is read once and then only on request. */
  isPaused: boolean;
}

/** The pause between requests is at least this many times as long as the last answer took. */
const REST = 10;
/** After an error that may pass. */
const RETRY_MS = 10_000;
/** A cached answer for a range that does not change is used without another request until it is this old. */
const KEPT_MS = 60_000;

/** The key names the data: equal keys share cached answers. */
export function useLive<T>(
  key: string,
  read: (signal: AbortSignal) => Promise<T>,
  { everyMs, isPaused }: Schedule,
): Live<T> {
  const [state, setState] = useState<State<T>>(() => startWith(key));
  const [round, setRound] = useState(0);
  const reader = useRef(read);
  reader.current = read;
  const lastRound = useRef(0);
  const lastKey = useRef("");

  useEffect(() => {
    const known = cached(key);
    const isAsked = round !== lastRound.current;
    lastRound.current = round;
    const isNew = lastKey.current !== key;
    lastKey.current = key;
    if (known && isNew && !isAsked && isFresh(known.readAt, known.tookMs, everyMs)) {
      setState(startWith(key));
      return undefined;
    }
    const controller = new AbortController();
    const startedAt = performance.now();
    setState((before) => ({ ...before, key, isLoading: true }));
    reader.current(controller.signal).then(
      (data) => {
        if (controller.signal.aborted) return;
        const answer = { data, readAt: serverNow(), tookMs: performance.now() - startedAt };
        keep(key, answer);
        setState({ ...answer, key, dataKey: key, error: undefined, isLoading: false });
      },
      (error: unknown) => {
        if (controller.signal.aborted) return;
        setState((before) => ({ ...before, key, error: toError(error), isLoading: false }));
      },
    );
    return () => controller.abort();
  }, [key, round]);

  const refresh = useCallback(() => setRound((n) => n + 1), []);
  const { isLoading, readAt, error, tookMs } = state;
  const intervalMs = everyMs === null ? null : Math.max(everyMs, tookMs * REST);
  useEffect(() => {
    if (isPaused || isLoading) return undefined;
    if (error) return isPassing(error) ? whenSeen(intervalMs ?? RETRY_MS, refresh) : undefined;
    if (intervalMs === null) return undefined;
    // From the last answer on, so that old data is refreshed at once after a pause.
    return whenSeen(Math.max(0, readAt + intervalMs - serverNow()), refresh);
  }, [isPaused, intervalMs, isLoading, readAt, error, key]);

  return {
    data: state.data,
    isCurrent: state.dataKey === key,
    error,
    isLoading: isLoading || state.key !== key,
    readAt,
    intervalMs: isPaused ? null : intervalMs,
    refresh,
  };
}

function startWith<T>(key: string): State<T> {
  const known = cached(key);
  return {
    key,
    data: known?.data as T | undefined,
    dataKey: known ? key : "",
    error: undefined,
    isLoading: !known,
    readAt: known?.readAt ?? 0,
    tookMs: known?.tookMs ?? 0,
  };
}

function isFresh(readAt: number, tookMs: number, everyMs: number | null): boolean {
  return serverNow() - readAt < (everyMs === null ? KEPT_MS : Math.max(everyMs, tookMs * REST));
}

/** Calls back after `ms`. If the page is hidden then, it calls back when the page is visible again. */
function whenSeen(ms: number, callback: () => void): () => void {
  const call = () => {
    if (document.hidden) return;
    stop();
    callback();
  };
  const timer = setTimeout(() => {
    if (document.hidden) document.addEventListener("visibilitychange", call);
    else call();
  }, ms);
  const stop = () => {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", call);
  };
  return stop;
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
