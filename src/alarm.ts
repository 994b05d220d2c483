/**
 * The alarm of a Durable Object. Keeps its time in memory, so that storage is written only if the time changes. The platform bills
 * each change as a row written.
 */

/** An alarm that is overdue by this many milliseconds was dropped by the platform and is set again. */
const STALE_MS = 10_000;
/** Wait after the first failure, in milliseconds. Each further failure in a row doubles it, up to the longest wait. */
const FIRST_BACKOFF_MS = 30_000;
const LONGEST_BACKOFF_MS = 60 * 60 * 1000;

/** All times are epoch milliseconds. */
export class Alarm {
  readonly #storage: Pick<DurableObjectStorage, "getAlarm" | "setAlarm" | "deleteAlarm">;
  /** When the alarm rings, as in storage; null if it is not set. */
  #at: number | null = null;
  #failuresInARow = 0;

  constructor(storage: Pick<DurableObjectStorage, "getAlarm" | "setAlarm" | "deleteAlarm">) {
    this.#storage = storage;
  }

  /** Reads the alarm from storage. Must be awaited before anything else is called. */
  async load(): Promise<void> {
    this.#at = await this.#storage.getAlarm();
  }

  /** Call it when the alarm rings. The platform has then removed the alarm from storage. */
  rang(): void {
    this.#at = null;
  }

  /**
   * Makes sure that the alarm rings at `at` or earlier. Null removes the alarm: an object without work must have none, since
   * each alarm is billed. A time in the past rings at once.
   */
  schedule(at: number | null, now: number): void {
    if (at === null) return this.#remove();
    const isStale = this.#at !== null && this.#at < now - STALE_MS;
    if (this.#at === null || this.#at > at || isStale) this.#set(Math.max(at, now));
  }

  /**
   * Sets the alarm again after its handler failed. The handler must not throw instead: the platform drops an alarm that
   * keeps throwing.
   */
  retryAfterFailure(now: number): void {
    this.#set(now + Math.min(FIRST_BACKOFF_MS * 2 ** this.#failuresInARow++, LONGEST_BACKOFF_MS));
  }

  /** Call it when the handler succeeded. Ends the backoff. */
  succeeded(): void {
    this.#failuresInARow = 0;
  }

  #set(at: number): void {
    this.#at = at;
    void this.#storage.setAlarm(at);
  }

  #remove(): void {
    if (this.#at === null) return;
    this.#at = null;
    void this.#storage.deleteAlarm();
  }
}
