/** Brings rows into a store: cuts them into batches, halves a batch that holds a bad row, and says which rows were refused. */
import type { OutgoingRequest, Row, Sink, Verdict, Answer } from "./sink.ts";

export const deliveryLimits = {
  rowsPerRequest: 5_000,
  bytesPerRequest: 4_000_000,
  /** The Free plan allows 50 requests for each call of an object. */
  requests: 40,
};

/** The store does not take rows now. */
export class HeldUpError extends Error {
  override name = "HeldUpError";
  readonly isMisconfigured: boolean;

  constructor(reason: string, isMisconfigured = false) {
    super(reason);
    this.isMisconfigured = isMisconfigured;
  }
}

/** The rows need more requests than one call may make. Fewer rows at once need fewer. */
export class TooManyRequestsError extends Error {
  override name = "TooManyRequestsError";
}

export interface RefusedRow {
  row: Row;
  reason: string;
}

type Send = (request: OutgoingRequest) => Promise<Answer>;

export class Delivery<Configuration> {
  readonly #sink: Sink<Configuration>;
  readonly #configuration: Configuration;
  readonly #send: Send;
  #requests = 0;

  constructor(sink: Sink<Configuration>, configuration: Configuration, send: Send) {
    this.#sink = sink;
    this.#configuration = configuration;
    this.#send = send;
  }

  /**
   * Sends all rows, one request at a time. When it returns, the store has all but the refused ones.
   *
   * @throws {HeldUpError | TooManyRequestsError} Some of the rows may have arrived. Send all again.
   */
  async rows(rows: readonly Row[]): Promise<RefusedRow[]> {
    const refused: RefusedRow[] = [];
    for (const batch of batchesOf(rows)) {
      const ofBatch = await this.#batch(batch);
      // A store that takes none of many rows has other columns than these, or none.
      if (ofBatch.length > 1 && ofBatch.length === batch.length) {
        throw new HeldUpError(`The store refuses every row. ${ofBatch[0]!.reason}`, true);
      }
      refused.push(...ofBatch);
    }
    return refused;
  }

  /** @throws {HeldUpError} */
  async deletion(deletion: Parameters<Sink<Configuration>["encodeDeletion"]>[0]): Promise<void> {
    for (const request of await this.#sink.encodeDeletion(deletion, this.#configuration)) {
      const verdict = await this.#ask(request, []);
      if (verdict.result !== "done") throw new HeldUpError(`A deletion failed. ${verdict.reason}`, true);
    }
  }

  async #batch(rows: readonly Row[]): Promise<RefusedRow[]> {
    const verdict = await this.#ask(await this.#sink.encode(rows, this.#configuration), rows);
    switch (verdict.result) {
      case "done":
        return [];
      case "refused": {
        const again =
          verdict.again.length === 0 ? [] : await this.#again(verdict.again, rows.length, verdict.reason);
        return [...verdict.refused, ...again];
      }
      case "split": {
        if (rows.length === 1) return [{ row: rows[0]!, reason: verdict.reason }];
        const middle = rows.length >> 1;
        return [...(await this.#batch(rows.slice(0, middle))), ...(await this.#batch(rows.slice(middle)))];
      }
    }
  }

  /** Rows that were not taken and are not at fault. If those are all, the store is busy. */
  async #again(rows: readonly Row[], sent: number, reason: string): Promise<RefusedRow[]> {
    if (rows.length === sent) throw new HeldUpError(reason);
    return this.#batch(rows);
  }

  async #ask(
    request: OutgoingRequest,
    rows: readonly Row[],
  ): Promise<Exclude<Verdict, { result: "retry" | "misconfigured" }>> {
    if (this.#requests++ >= deliveryLimits.requests) throw new TooManyRequestsError();
    const verdict = this.#sink.judge(await this.#send(request), rows);
    if (verdict.result === "retry" || verdict.result === "misconfigured") {
      throw new HeldUpError(verdict.reason, verdict.result === "misconfigured");
    }
    return verdict;
  }
}

function* batchesOf(rows: readonly Row[]): Iterable<Row[]> {
  let batch: Row[] = [];
  let bytes = 0;
  for (const row of rows) {
    // Names and numbers of a row are below 1 KB as a rule. Stores allow several times the limit.
    const size = 500 + row.histogram.length;
    if (
      batch.length >= deliveryLimits.rowsPerRequest ||
      (batch.length > 0 && bytes + size > deliveryLimits.bytesPerRequest)
    ) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(row);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
