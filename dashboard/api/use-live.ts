/** Reads data from the API and refreshes it at an interval while the page is visible. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";

export interface Live<T> {
  /** The last answer for this key, or for the previous key while this one loads. */
  data: T | undefined;
  /** Whether `data` belongs to this key. */
  isCurrent: boolean;
  error: Error | undefined;
  isLoading: boolean;
  /** When `data` arrived, in epoch milliseconds. */
  readAt: number;
  refresh: () => void;
}

interface State<T> {
  key: string;
  data: T | undefined;
  dataKey: string;
  error: Error | undefined;
  isLoading: boolean;
  readAt: number;
}

/** The page waits at least this many times as long as the last answer took, so it keeps a slow server busy for a tenth of the time at most. */
const REST = 10;

/** `everyMs` is null for data that is read once. */
export function useLive<T>(
  key: string,
  read: (signal: AbortSignal) => Promise<T>,
  everyMs: number | null,
): Live<T> {
  const [state, setState] = useState<State<T>>(() => ({
    key,
    data: undefined,
    dataKey: "",
    error: undefined,
    isLoading: true,
    readAt: 0,
  }));
  const [round, setRound] = useState(0);
  const reader = useRef(read);
  reader.current = read;
  const lastTook = useRef(0);

  useEffect(() => {
    const controller = new AbortController();
    const startedAt = performance.now();
    setState((before) => ({ ...before, key, isLoading: true }));
    reader.current(controller.signal).then(
      (data) => {
        if (controller.signal.aborted) return;
        lastTook.current = performance.now() - startedAt;
        setState({ key, data, dataKey: key, error: undefined, isLoading: false, readAt: Date.now() });
      },
      (error: unknown) => {
        if (controller.signal.aborted) return;
        setState((before) => ({ ...before, key, error: toError(error), isLoading: false }));
      },
    );
    return () => controller.abort();
  }, [key, round]);

  const refresh = useCallback(() => setRound((n) => n + 1), []);
  const { isLoading, readAt, error } = state;
  useEffect(() => {
    if (everyMs === null || isLoading) return undefined;
    const restMs = Math.max(everyMs, lastTook.current * REST);
    // Counted from now after an error, otherwise from the last answer, so that old data is refreshed at once.
    const sinceMs = error ? 0 : Date.now() - readAt;
    return whenSeen(Math.max(0, restMs - sinceMs), refresh);
  }, [everyMs, isLoading, readAt, error, key]);

  const isCurrent = state.dataKey === key;
  return { data: state.data, isCurrent, error, isLoading: isLoading || state.key !== key, readAt, refresh };
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
  if (error instanceof TypeError) return new Error("The server could not be reached.");
  return error instanceof Error ? error : new Error(String(error));
}
