/** Counts rejected samples by reason. Written in the same transaction as the answer that reported them. */

export class Rejections {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS rejections (reason TEXT PRIMARY KEY, samples INTEGER NOT NULL) WITHOUT ROWID",
    );
  }

  /** Adds numbers of samples by reason. */
  add(samples: Record<string, number>): void {
    for (const [reason, number] of Object.entries(samples)) {
      this.#sql.exec(
        "INSERT INTO rejections VALUES (?, ?) ON CONFLICT (reason) DO UPDATE SET samples = samples + excluded.samples",
        reason,
        number,
      );
    }
  }

  /** All samples rejected since the buffer was created, by reason. */
  counts(): Record<string, number> {
    const rows = this.#sql.exec<{ reason: string; samples: number }>(
      "SELECT reason, samples FROM rejections",
    );
    return Object.fromEntries(rows.toArray().map(({ reason, samples }) => [reason, samples]));
  }
}
