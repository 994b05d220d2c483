/** Limits of a query and what it has used of them. */
import { PromqlError, executionError } from "../errors.ts";

export interface Limits {
  /** Samples read, and points held at a time by results in between. */
  maxSamples?: number;
  /** Series of one selector. */
  maxSeries?: number;
  /** Evaluation times of a range query, less one. */
  maxPoints?: number;
  /**
   * Elementary steps, each about a sample looked at: some nanoseconds, so that all of them take a second or two. It
   * bounds the CPU time also where clocks stand still while code runs, as in Cloudflare Workers.
   */
  maxOperations?: number;
  /** Time from the start of the query until it is given up, in milliseconds. */
  timeoutMs?: number;
  /** Aborts the query. */
  signal?: AbortSignal | undefined;
  /** Called during long evaluations. If it lets other events happen, `signal` and `timeoutMs` take effect sooner. */
  pause?: (() => Promise<void>) | undefined;
}

export const DEFAULT_LIMITS = {
  maxSamples: 2_000_000,
  maxSeries: 10_000,
  maxPoints: 11_000,
  maxOperations: 200_000_000,
  timeoutMs: 120_000,
} as const;

/** So many operations may pass between two pauses: some tens of milliseconds. */
const OPERATIONS_BETWEEN_PAUSES = 4_000_000;

/** To compare, match or change a label set takes some microseconds. */
const OPERATIONS_OF_LABELS = 1000;

export class Budget {
  readonly maxSeries: number;
  readonly signal: AbortSignal | undefined;
  private readonly limits: Limits & typeof DEFAULT_LIMITS;
  private readonly startMs = Date.now();
  private samples = 0;
  private operations = 0;
  private nextPause = OPERATIONS_BETWEEN_PAUSES;

  constructor(limits: Limits) {
    this.limits = { ...DEFAULT_LIMITS, ...limits } as Limits & typeof DEFAULT_LIMITS;
    this.maxSeries = this.limits.maxSeries;
    this.signal = limits.signal;
  }

  /** Counts samples or points that are kept. */
  hold(count: number): void {
    this.samples += count;
    if (this.samples > this.limits.maxSamples) {
      throw executionError("query processing would load too many samples into memory in query execution");
    }
  }

  /** How much is kept now. */
  get held(): number {
    return this.samples;
  }

  /** Goes back to an earlier state, when what was kept since is garbage. */
  releaseTo(held: number): void {
    this.samples = held;
  }

  spend(operations: number): void {
    this.operations += operations;
    if (this.operations > this.limits.maxOperations) {
      throw new PromqlError("timeout", "query needs more computation than allowed in expression evaluation");
    }
  }

  /** Counts the work on rows: a value at each step, and what labels cost, however few steps there are. */
  spendRows(rows: number, steps: number): void {
    this.spend(rows * (steps + OPERATIONS_OF_LABELS));
  }

  /** Whether so much was done since the last pause that `check` should be called within an operation, too. */
  get isCheckDue(): boolean {
    return this.operations >= this.nextPause;
  }

  /** Fails if the query was aborted or its time is up. Lets other events happen from time to time. */
  async check(): Promise<void> {
    if (this.isCheckDue) {
      this.nextPause = this.operations + OPERATIONS_BETWEEN_PAUSES;
      await this.limits.pause?.();
    }
    if (this.signal?.aborted)
      throw new PromqlError("canceled", "query was canceled in expression evaluation");
    if (Date.now() - this.startMs > this.limits.timeoutMs) {
      throw new PromqlError("timeout", "query timed out in expression evaluation");
    }
  }
}
