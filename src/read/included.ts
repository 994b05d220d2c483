/** Which flushes of a buffer the kept rows include: all below `upTo`, except those that are still missing. */
import type { SealedFlush, Snapshot } from "./snapshot.ts";

export class Included {
  readonly epoch: string;
  #upTo: number;
  readonly #missing: Set<number>;
  /** Flushes that the rows include and that the buffer had not confirmed when it was last asked. */
  readonly #unconfirmed = new Set<number>();

  /** As D1 is known to be from a snapshot alone: it has every flush that the buffer has not. */
  constructor({ epoch, next, sealed }: Snapshot) {
    this.epoch = epoch;
    this.#upTo = next;
    this.#missing = new Set(sealed.map(({ n }) => n));
  }

  get upTo(): number {
    return this.#upTo;
  }

  /** The lowest flush that the rows do not include. */
  get lowest(): number {
    return Math.min(this.#upTo, ...this.#missing);
  }

  has(n: number): boolean {
    return n < this.#upTo && !this.#missing.has(n);
  }

  /**
   * Brings this to the state of the snapshot. Returns the flushes to add to the rows, by ascending id. Undefined if that is not
   * possible: the buffer does not keep one of them, or D1 lacks one that the rows include, because D1 was restored to an
   * earlier time.
   */
  advance({ next, sealed, applied }: Snapshot): SealedFlush[] | undefined {
    const waiting = new Set(sealed.map(({ n }) => n));
    for (const n of waiting) if (this.has(n) && !this.#unconfirmed.has(n)) return undefined;
    for (const n of this.#unconfirmed) if (!waiting.has(n)) this.#unconfirmed.delete(n);
    const kept = new Map(applied.map((flush) => [flush.n, flush]));
    const added: SealedFlush[] = [];
    const decide = (n: number): boolean => {
      if (waiting.has(n)) {
        this.#missing.add(n);
        return true;
      }
      const flush = kept.get(n);
      if (!flush) return false;
      this.#missing.delete(n);
      added.push(flush);
      return true;
    };
    for (const n of [...this.#missing].sort((a, b) => a - b)) if (!decide(n)) return undefined;
    for (let n = this.#upTo; n < next; n++) if (!decide(n)) return undefined;
    this.#upTo = next;
    return added;
  }

  /** The rows include this flush from now on, although the buffer has no confirmation yet. */
  add(n: number): void {
    this.#missing.delete(n);
    this.#unconfirmed.add(n);
  }
}
