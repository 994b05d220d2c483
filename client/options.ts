/// <reference lib="esnext.disposable" preserve="true" />
/** What a user of the package says and is told: its public types. */

/** How a call is judged; given to `createMetricsCollector` it holds for every function that says nothing else. */
export interface CallOptions {
  /** What tells two functions of one name apart, such as a file. Default: none. */
  module?: string;
  /**
   * Whether a result (of a promise: what it resolves to) counts as an error, as in `(response) => !response.ok`.
   * Default: only what throws or rejects is an error.
   */
  isError?: (result: any) => boolean;
  /** Whether a call that ends in an `AbortError` counts as one without error. Default: false. */
  ignoreAborts?: boolean;
  /**
   * Where a call that gives a `ReadableStream`, or a `Response` with a body, ends: with its `head`, or at the
   * `end` of the stream. To see the end, the caller is given a stream that passes the original on, and a call
   * whose stream nobody reads to its end, or cancels, is not counted. What the caller is given does not keep a response's
   * `url`, `redirected` and `type`, nor a stream's "byob" readers. Where there is no `ReadableStream.from`, it ends with
   * the head all the same. Default: `"head"`.
   */
  stream?: "head" | "end";
}

export interface FunctionOptions extends CallOptions {
  /** What the function is called in the metrics. Default: its own name; for a method, `Class.method`. */
  name?: string;
}

export interface CollectorOptions extends CallOptions {
  /** Where the Worker is; batches go to `{url}/samples`. */
  url: string | URL;
  /** The program that the functions belong to. */
  service: string;
  /** Sent as `Authorization: Bearer`. It is read for each POST: a getter may rotate it. Default: none. */
  token?: string | undefined;
  /**
   * Milliseconds from a call to the POST that reports it, at the latest, while all is well. Above 2,000,000,000 it is
   * never: only a flush sends then. Default: 30,000.
   */
  intervalMs?: number;
  /** How many sums (one for each function and minute) may wait before they are sent early. Default: 1,000. */
  maxItems?: number;
  /** Different functions told apart; calls of any further ones count under `__overflow__`. Default: 1,000. */
  maxFunctions?: number;
  /** Characters that unsent sums may take while the Worker cannot be reached; past it the oldest go. Default: 30,000,000. */
  maxMemory?: number;
  /** Milliseconds to wait for an answer before the attempt counts as failed, below 2^31. Default: 10,000. */
  timeoutMs?: number;
  /**
   * Milliseconds of the first backoff at most, doubled by each failure in a row up to 60 times as long. A server
   * that asks for more time gets it, an hour at most, but not with a 401 or 403: these are tried again after 30 times
   * as long at least. Default: 1,000.
   */
  retryMs?: number;
  /** Sends instead of the global `fetch`: a service binding, or anything with a `fetch`. */
  fetcher?: { fetch(url: string, init: RequestInit): Promise<Response> };
  /**
   * On Workers, what keeps an invocation alive until its POST is answered, such as `ctx.waitUntil`: one POST at most for
   * each invocation, or for each interval of one that outlives it.
   * Default: the `waitUntil` of `cloudflare:workers`. Given elsewhere, it replaces the timer too.
   */
  waitUntil?: (promise: Promise<unknown>) => void;
  /** Told of every attempt that failed and every refusal. Default: the first of each kind is a console warning. */
  onError?: (error: Error) => void;
  /** Told of calls that will never be counted. Default: the first of each reason is a console warning. */
  onDrop?: (dropped: Dropped) => void;
}

/**
 * Why calls will never be counted: the server refused them; they could not be delivered for 48 hours; newer ones
 * needed their memory.
 */
export type DropReason = "rejected" | "tooOld" | "overMemory";

export interface Dropped {
  reason: DropReason;
  calls: number;
  /** What the server said; where it said nothing, the reason again. */
  message: string;
}

/** Calls since the collector was made. `seen` is always `acknowledged + pending` + all that was `dropped`. */
export interface Stats {
  /** Calls that ended. */
  seen: number;
  acknowledged: number;
  pending: number;
  dropped: Record<DropReason, number>;
}

export interface FlushOptions {
  /** Milliseconds to try for. Default: 10,000. */
  timeoutMs?: number;
}

/** What options-first gives before it is given a function: a wrapper, and a standard decorator. */
export interface Wrapper {
  // `Function`, and not a signature: that would refuse classes whose constructors are private, and nothing is called.
  // oxlint-disable typescript/no-unsafe-function-type
  /** Of whatever kind the function or the class is, the wrapped one has its very type. */
  <F extends Function>(fn: F): F;
  <F extends Function>(
    member: F,
    context:
      | ClassMethodDecoratorContext<any, any>
      | ClassGetterDecoratorContext<any, any>
      | ClassSetterDecoratorContext<any, any>,
  ): F;
  (value: Function, context: ClassDecoratorContext<any>): void;
}

/**
 * Wraps a function; decorates a method, a getter, a setter, or a class (every method of its own). What is wrapped does
 * what it did: its result, error, `this`, name and properties are untouched, whatever becomes of the metrics.
 */
export interface MetricsCollector extends Wrapper, AsyncDisposable {
  <F extends Function>(options: FunctionOptions, fn: F): F;
  (options: FunctionOptions): Wrapper;
  /**
   * Wraps every method of an object in place, those of its classes too, as `prefix.method`, or without a prefix as
   * `method`. Where the object cannot be changed, it goes on unmeasured.
   */
  all<T extends object>(object: T, options?: CallOptions & { prefix?: string }): T;
  /**
   * Sends until every call seen so far has a definite answer: true then, false when the time ran out, which loses
   * nothing. It waits for a backoff to end.
   */
  flush(options?: FlushOptions): Promise<boolean>;
  stats(): Stats;
  /** Flushes and ends all sending on its own. Calls still count as pending, and another `flush` sends them. */
  close(options?: FlushOptions): Promise<boolean>;
}
