/** What takes the place of numbers: loading, an error, nothing there. */
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

/** Grey lines where rows will be: nothing jumps once they come. */
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
    <Notice title="The numbers cannot be read">
      <p role="alert">{error.message}</p>
      <button type="button" class="primary" onClick={retry}>
        Try again
      </button>
    </Notice>
  );
}

/** Above numbers that are there, but old. */
export function Stale({ error, retry }: FailureProps) {
  return (
    <p class="stale" role="alert">
      <strong>Not refreshed.</strong> {error.message} The numbers below are the last that were read.{" "}
      <button type="button" onClick={retry}>
        Try again
      </button>
    </p>
  );
}
