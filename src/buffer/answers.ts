/**
 * The batches that were answered, by idempotency key. One table for each day: an old day is forgotten by dropping
 * its table, which scans nothing and bills no row.
 */

/** What a sender is told of a batch. */
export interface Answer {
  accepted: number;
  rejected: number;
  reasons: { index: number; reason: string }[];
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** Days kept besides today: any key is known for at least 72 hours. WARNING: longer than a sample may be late. */
const DAYS_KEPT = 3;

export class Answers {
  readonly #sql: SqlStorage;
  /** The days that have a table, the latest first. */
  #days: number[];

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#days = sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'answers_[0-9]*'",
      )
      .toArray()
      .map(({ name }) => Number(name.slice("answers_".length)))
      .sort((a, b) => b - a);
  }

  /** The first answer to this key of this service, with the digest of the batch that got it. */
  find(service: string, key: string): { digest: string; answer: Answer } | undefined {
    for (const day of this.#days) {
      const [row] = this.#sql
        .exec<{ digest: string; answer: string }>(
          `SELECT digest, answer FROM answers_${day} WHERE service = ? AND key = ?`,
          service,
          key,
        )
        .toArray();
      if (row) return { digest: row.digest, answer: JSON.parse(row.answer) as Answer };
    }
    return undefined;
  }

  /**
   * Makes today's table and forgets days that are past. WARNING: outside of the transaction that remembers, since
   * what is known here in memory would outlive its rollback.
   */
  turnTo(now: number): void {
    const today = dayOf(now);
    if (this.#days.includes(today)) return;
    this.#sql.exec(
      `CREATE TABLE answers_${today} (
        service TEXT NOT NULL, key TEXT NOT NULL, digest TEXT NOT NULL, answer TEXT NOT NULL,
        PRIMARY KEY (service, key)
      ) WITHOUT ROWID`,
    );
    const isKept = (day: number) => day >= today - DAYS_KEPT;
    for (const day of this.#days) {
      if (!isKept(day)) this.#sql.exec(`DROP TABLE answers_${day}`);
    }
    this.#days = [today, ...this.#days.filter(isKept)].sort((a, b) => b - a);
  }

  remember(service: string, key: string, digest: string, answer: Answer, now: number): void {
    this.#sql.exec(
      `INSERT INTO answers_${dayOf(now)} (service, key, digest, answer) VALUES (?, ?, ?, ?)`,
      service,
      key,
      digest,
      JSON.stringify(answer),
    );
  }
}

function dayOf(now: number): number {
  return Math.floor(now / DAY_MS);
}
