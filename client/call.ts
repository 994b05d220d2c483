/** A call that has begun, and how it is judged when it ends. */
import type { CallOptions } from "./options.ts";
import type { FunctionSum } from "./sum.ts";

/** The first end of a call counts; later ones change nothing. */
export class Call {
  startMs: number;
  #sum: FunctionSum | undefined;
  readonly #options: CallOptions;

  constructor(sum: FunctionSum, startMs: number, options: CallOptions) {
    this.#sum = sum;
    this.startMs = startMs;
    this.#options = options;
  }

  /** Ends the call with a result, and returns that. */
  end<T>(result: T): T {
    const sum = this.#take();
    if (!sum) return result;
    sum.end(this.startMs);
    try {
      if (this.#options.isError?.(result)) sum.addFailure(result);
    } catch {
      // A result that `isError` cannot judge is not an error.
    }
    return result;
  }

  /** Ends the call with an error, which the caller then throws. */
  fail(error: unknown): void {
    const sum = this.#take();
    sum?.end(this.startMs);
    if (sum && isFailure(error, this.#options)) sum.addFailure(error);
  }

  /** Counts the call without a duration: nothing is known about its end. */
  endUnmeasured(): void {
    this.#take()?.end(NaN);
  }

  #take(): FunctionSum | undefined {
    const sum = this.#sum;
    this.#sum = undefined;
    return sum;
  }
}

/** A thrown promise is not a failure: that is how React components say that they wait. */
export function isFailure(error: unknown, { ignoreAborts }: CallOptions): boolean {
  try {
    return !hasThen(error) && (!ignoreAborts || (error as Error).name !== "AbortError");
  } catch {
    // Nothing can be read of undefined, or of a hostile object.
    return true;
  }
}

/** Does not read `then`: a proxy of a remote object would send a request for it. A hostile proxy has none. */
export function hasThen(value: unknown): value is { then: unknown } {
  try {
    return ((typeof value === "object" && value !== null) || typeof value === "function") && "then" in value;
  } catch {
    return false;
  }
}
