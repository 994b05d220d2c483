/** The public types of the package. They need neither DOM types nor Node's. */

declare global {
  // As in TypeScript's `esnext.disposable`, for projects that do not include it.
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol;
  }
}

/** How calls are judged. `createMetricsCollector` takes the defaults; each function can override them. */
export interface CallOptions {
  /** Distinguishes functions of the same name, for example by file. Default: none. */
  module?: string | undefined;
  /**
   * Whether a result is an error, for example `(response) => !response.ok`. For a promise it gets the resolved value.
   * Default: only throwing and rejecting are errors.
   */
  isError?: ((result: any) => boolean) | undefined;
  /** Whether a call that ends in an `AbortError` counts as successful. Default: false. */
  ignoreAborts?: boolean | undefined;
  /**
   * Where a call ends that returns a `ReadableStream`, or a `Response` with a body: at its `head`, or at the `end` of the
   * stream. For `end`, the caller gets a stream that passes the original on. It lacks a response's `url`, `redirected`
   * and `type`, and "byob" readers. A call whose stream nobody reads or cancels is not counted. Without
   * `ReadableStream.from`, or if the function returns a promise with properties of its own, the call ends at the head.
   * Default: `"head"`.
   */
  stream?: "head" | "end" | undefined;
}

export interface FunctionOptions extends CallOptions {
  /** The function's name in the metrics. Default: its own name; for a method, `Class.method`. */
  name?: string;
}

export interface CollectorOptions extends CallOptions {
  /** The address of the Worker. Batches are sent to `{url}/samples`. */
  url: string | { readonly href: string };
  /** The name of the program, 1 to 100 characters. */
  service: string;
  /** Sent as `Authorization: Bearer`. It is read for each POST, so that a getter can rotate it. Default: none. */
  token?: string | undefined;
  /** False turns the collector off: it returns every function as it is. `METRICS_COLLECTOR_DISABLED=1` does the same. */
  enabled?: boolean;
  /** Whether a wrong option throws. Default: false; a warning says what is wrong, and the collector is off. */
  strict?: boolean;
  /**
   * Milliseconds from a call to the POST that reports it, if all is well. Above 2,000,000,000 it means never: only a
   * flush sends. On Workers, more than 20,000 counts as 20,000. Default: 30,000.
   */
  intervalMs?: number;
  /**
   * How many sums (one for each function and minute) may wait before they are sent early, at most once a second. On
   * Workers nothing is sent early. Default: three times `maxFunctions`.
   */
  maxItems?: number;
  /** How many different functions are counted. Calls of any others count under `__overflow__`. Default: 1,000. */
  maxFunctions?: number;
  /** Characters of unsent sums that are kept while the Worker cannot be reached. Past it the oldest are dropped. Default: 30,000,000. */
  maxMemory?: number;
  /** Milliseconds to wait for an answer before an attempt counts as failed. Default: 10,000. */
  timeoutMs?: number;
  /** Milliseconds that a Node, Deno or Bun process waits for the metrics when it has nothing else to do. Default: 2,000. */
  exitTimeoutMs?: number;
  /**
   * The longest first backoff in milliseconds. It doubles with each failure in a row, up to 60 times as long. A server
   * can ask for up to an hour with `Retry-After`. If only a person can fix the cause (401, 403, a wrong address), the
   * pause is at least 30 times as long. Default: 1,000.
   */
  retryMs?: number;
  /** Sends instead of the global `fetch`: a service binding, or any object with a `fetch`. */
  fetcher?: { fetch(url: string, init: any): PromiseLike<FetchedAnswer> };
  /**
   * Keeps a Worker's invocation alive until its sums are sent. Default: the `waitUntil` of `cloudflare:workers`.
   * Outside of Workers it replaces the end of the process or page as the moment of the last POST.
   */
  waitUntil?: (promise: Promise<unknown>) => void;
  /** Stores what is unsent when the process or page ends: `metrics-collector-client/spool`, or `/page-spool`. */
  spool?: Spool;
  /** Called for every failed attempt and every refusal. Default: the first of each kind is a console warning. */
  onError?: (error: Error) => void;
  /** Called when calls are dropped. Default: a console warning, at most once a minute. */
  onDrop?: (dropped: Dropped) => void;
}

/** As much of a `Response` as the collector reads. */
export interface FetchedAnswer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): PromiseLike<string>;
  readonly body?: unknown;
}

/** Keeps what is unsent across the end of a process or page. The package's other entries make such objects. */
export interface Spool {
  /** Called once, with the parts of the collector. Returns what stores everything unsent before it returns. */
  attach(collector: any): () => void;
}

/**
 * Why calls are lost: the server rejected them; they could not be delivered for 48 hours; newer calls needed their memory.
 */
export type DropReason = "rejected" | "tooOld" | "overMemory";

export interface Dropped {
  reason: DropReason;
  calls: number;
  /** A sentence: what the server said, or which limit was reached. */
  message: string;
}

/** Calls since the collector was made. `seen` always equals `acknowledged + pending` plus everything in `dropped`. */
export interface Stats {
  /** Calls that ended, and calls that a spool has kept from an earlier process. */
  seen: number;
  /** The Worker confirmed these. It counts each of them once. */
  acknowledged: number;
  /** Not confirmed yet. The next POST repeats or sends them. */
  pending: number;
  /** Lost, by reason. */
  dropped: Record<DropReason, number>;
}

export interface FlushOptions {
  /** Milliseconds to try for. Default: 10,000. */
  timeoutMs?: number;
}

/** One call that is not a function of its own, for `metricsCollector.record`. */
export interface RecordedCall {
  function: string;
  module?: string | undefined;
  /** Milliseconds. Without it the call counts as unmeasured. */
  durationMs?: number;
  /** What was thrown. Anything but undefined makes the call an error. */
  error?: unknown;
}

/** Wraps functions. */
export interface Wrapper {
  // `Function`, not a signature: a signature would refuse classes with private constructors, and nothing is called here.
  // oxlint-disable typescript/no-unsafe-function-type
  /** The wrapped function or class keeps its exact type. */
  <F extends Function>(fn: F): F;
}

/**
 * Wraps a function. What is wrapped behaves as before: its result, error, `this`, name and properties stay the same,
 * whatever happens to the metrics.
 */
export interface MetricsCollector extends Wrapper {
  <F extends Function>(options: FunctionOptions, fn: F): F;
  (options: FunctionOptions): Wrapper;
  /** `metricsCollector("total", fn)` gives the function's name as text, which minifiers do not change. */
  <F extends Function>(name: string, fn: F): F;
  (name: string): Wrapper;
  /** Calls a function, counts that call under the name, and returns what the function returns. */
  time<T>(name: string, fn: () => T): T;
  /** Counts a call that the program has measured itself. Never throws. */
  record(call: RecordedCall): void;
  /**
   * Sends until every call seen so far has a final answer. Resolves to true then, and to false when the time is up, which
   * loses nothing. If the collector is backing off, it waits until the backoff ends.
   */
  flush(options?: FlushOptions): Promise<boolean>;
  stats(): Stats;
  /** Flushes, and ends all sending on its own. Calls still count as pending, and another `flush` sends them. */
  close(options?: FlushOptions): Promise<boolean>;
  [Symbol.asyncDispose](): PromiseLike<void>;
}
