/** What differs between pages, Workers and processes (Node, Deno, Bun). Each build of the package holds one of them. */
import type { CollectorOptions, FlushOptions } from "../options.ts";
import type { Outbox } from "../outbox.ts";
import type { Sender } from "../sender.ts";
import type { Settings } from "../settings.ts";

export interface Runtime {
  /** Whether the program can be gone at any moment. A batch then carries everything in its body, as a beacon needs. */
  readonly isPage: boolean;
  /** Whether timers live only as long as the invocation that started them. */
  readonly isWorker: boolean;
  /**
   * Whether the clock stands still between I/O, so that a duration of 0 says nothing. Elsewhere it moves by itself, in
   * steps; there a duration of 0 means "shorter than a step".
   */
  readonly isClockFrozen: boolean;
  /** What to check if there is no answer. */
  readonly advice: string;
  /** Runs the collector's own work outside the caller's async context. */
  runDetached<T>(work: () => T): T;
  createAlarm(waitUntil: CollectorOptions["waitUntil"]): Alarm;
  /** Watches for the end of the program. */
  watch?(parts: ScheduleParts): Watch;
}

/** Starts the next POST. */
export interface Alarm {
  /** Replaces an earlier plan. `hasWork` says whether there is still something to send. */
  set(delayMs: number, fire: () => Promise<void>, hasWork: () => boolean): Promise<void> | undefined;
  cancel(): void;
  /** Keeps the invocation of the current call alive. It may throw. */
  keepAlive?(work: Promise<void>): void;
}

export interface ScheduleParts {
  readonly settings: Settings;
  readonly outbox: Outbox;
  readonly sender: Sender;
  readonly flush: (options?: FlushOptions) => Promise<boolean>;
  /** Plans a POST for what is left. */
  readonly planRest: () => void;
  /** Stores what is unsent, if there is a spool. */
  readonly store: () => void;
}

export interface Watch {
  stop(): void;
  /** Called when an attempt starts. Returns what to call when it has ended. */
  onAttempt?(): () => void;
  /** Called every second or so while there are calls. */
  onLook?(): void;
}
