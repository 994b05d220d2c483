/** Reads something, and again from time to time, as long as somebody looks. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";

export interface Live<T> {
  /** The last that was read for this key, or what was read for another one while this is on its way. */
  data: T | undefined;
  /** Whether `data` is of this key. */
  isCurrent: boolean;
  error: Error | undefined;
  isLoading: boolean;
  /** When `data` came, in epoch milliseconds. */
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

/** A server that takes long to answer is asked less often: it is busy for a tenth of the time at most. */
const REST = 10;

/** `everyMs` is null where once is enough. */
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
    // After an error from now on; after a pause from the last answer on, and so at once if that is old.
    const sinceMs = error ? 0 : Date.now() - readAt;
    return whenSeen(Math.max(0, restMs - sinceMs), refresh);
  }, [everyMs, isLoading, readAt, error, key]);

  const isCurrent = state.dataKey === key;
  return { data: state.data, isCurrent, error, isLoading: isLoading || state.key !== key, readAt, refresh };
}

/** Calls back after so long, but not while the page is hidden: then as soon as it is seen again. */
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
  if (error instanceof TypeError) return new Error("The server cannot be reached.");
  return error instanceof Error ? error : new Error(String(error));
}
