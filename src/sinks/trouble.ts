/** Why a sink is held up, and when it tries again. The wait doubles, up to ten minutes. */

const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 10 * 60 * 1000;

export interface HeldUp {
  /** For people. */
  reason: string;
  /** Whether a person must change something. */
  isMisconfigured: boolean;
  /** Epoch milliseconds. */
  since: number;
  retryAt: number;
  attempts: number;
}

export class Trouble {
  readonly #kv: SyncKvStorage;

  constructor(kv: SyncKvStorage) {
    this.#kv = kv;
  }

  get current(): HeldUp | null {
    return this.#kv.get<HeldUp>("trouble") ?? null;
  }

  /** Epoch milliseconds; 0 if there is no trouble. */
  get retryAt(): number {
    return this.current?.retryAt ?? 0;
  }

  /** @returns when to try again, in epoch milliseconds */
  begin(reason: string, isMisconfigured: boolean, now: number): number {
    const { since = now, attempts = 0 } = this.current ?? {};
    const retryAt = now + Math.min(FIRST_WAIT_MS * 2 ** attempts, LONGEST_WAIT_MS);
    this.#kv.put("trouble", {
      reason,
      isMisconfigured,
      since,
      retryAt,
      attempts: attempts + 1,
    } satisfies HeldUp);
    return retryAt;
  }

  end(): void {
    if (this.current) this.#kv.delete("trouble");
  }
}
