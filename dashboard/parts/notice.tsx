/** Messages in place of numbers (loading, an error, no data) and above numbers (not refreshed). */
import type { ComponentChildren } from "preact";

interface NoticeProps {
  title: string;
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

/** Shown above numbers that could not be refreshed. */
export function Stale({ error, retry }: FailureProps) {
  return (
    <p class="stale" role="alert">
      <strong>Not refreshed.</strong> {error.message} The numbers below are from the last successful refresh.{" "}
      <button type="button" onClick={retry}>
        Try again
      </button>
    </p>
  );
}
