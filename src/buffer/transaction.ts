/** Runs writes in one transaction of the object's storage. If the transaction fails, memory is read from storage again. */

/** A part of the buffer that keeps some of its storage in memory. */
interface Reloadable {
  /** Replaces what memory holds with what storage holds. */
  reload(): void;
}

export class Transaction {
  readonly #storage: Pick<DurableObjectStorage, "transactionSync">;
  readonly #parts: readonly Reloadable[];

  /** `parts` must name every part whose memory a write may change. */
  constructor(storage: Pick<DurableObjectStorage, "transactionSync">, parts: readonly Reloadable[]) {
    this.#storage = storage;
    this.#parts = parts;
  }

  /**
   * Commits everything that `write` does, or nothing.
   *
   * WARNING: if `write` throws, the parts reload. Memory would otherwise be ahead of storage: the buffer would count a batch
   * as stored, or use a flush id, that the rollback removed.
   *
   * @throws what `write` throws
   */
  run<T>(write: () => T): T {
    try {
      return this.#storage.transactionSync(write);
    } catch (error) {
      for (const part of this.#parts) part.reload();
      throw error;
    }
  }
}
