/** Messages in place of numbers (loading, an error, no data) and above numbers (not refreshed). */
import type { ComponentChildren } from "preact";
import type { Live } from "../api/use-live.ts";
import { conditionOf } from "../status/freshness.ts";
import { useTimes } from "../times/times.ts";
import { useNow } from "../times/use-now.ts";

interface NoticeProps {
  title: ComponentChildren;
  children?: ComponentChildren;
}

export function Notice({ title, children }: NoticeProps) {
  return (
    <section class="notice">
      <h1>{title}</h1>
      {children}
    </section>
  );
}

/** Grey placeholders for the rows, so that the layout does not jump. */
export function Loading({ what }: { what: string }) {
  return (
    <div class="loading" role="status">
      <span class="heard">{`Loading ${what} …`}</span>
      {Array.from({ length: 8 }, (_, i) => (
        <div key={i} class="placeholder" />
      ))}
    </div>
  );
}

interface FailureProps {
  error: Error;
  retry: () => void;
}

export function Failure({ error, retry }: FailureProps) {
  return (
    <Notice title="Could not load metrics">
      <p role="alert">{error.message}</p>
      <button type="button" class="primary" onClick={retry}>
        Try again
      </button>
    </Notice>
  );
}

/** Shown above numbers that could not be refreshed, or that are older than they should be. */
export function Stale({ live }: { live: Live<unknown> }) {
  const { readAt, intervalMs, error, refresh } = live;
  const now = useNow(1_000);
  const times = useTimes();
  const condition = conditionOf({ readAt, intervalMs, hasFailed: error !== undefined }, now);
  if (live.data === undefined || condition === "fresh" || condition === "waiting") return null;
  return (
    <p class="stale" role="alert">
      <strong>Not refreshed.</strong> {error ? error.message : "Waiting for new numbers."}{" "}
      {`The numbers below are from ${times.moment(readAt).replace(times.clock(readAt), times.seconds(readAt))}.`}{" "}
      <button type="button" onClick={refresh}>
        Try again
      </button>
    </p>
  );
}

/** A request beside the main one failed, for example the one for the previous range. */
export function Missing({ what, live }: { what: string; live: Live<unknown> }) {
  if (!live.error) return null;
  return (
    <p class="stale" role="alert">
      <strong>{`Could not load ${what}.`}</strong> {live.error.message}{" "}
      <button type="button" onClick={live.refresh}>
        Try again
      </button>
    </p>
  );
}
