/** Who the buffer is: its name, its epoch, and the next flush id. */

export class Identity {
  readonly #sql: SqlStorage;
  readonly name: string;
  /** Random, made with the tables: a recreated buffer never meets its own old flush ids. */
  readonly epoch: string;
  #next: number;

  constructor(sql: SqlStorage, name: string) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS identity (
      id INTEGER PRIMARY KEY CHECK (id = 0), name TEXT NOT NULL, epoch TEXT NOT NULL, next INTEGER NOT NULL
    )`);
    // WARNING: an epoch or an id that is used twice looks applied to D1, and its calls are lost.
    sql.exec("INSERT OR IGNORE INTO identity VALUES (0, ?, ?, 1)", name, crypto.randomUUID());
    const row = sql.exec<{ name: string; epoch: string; next: number }>("SELECT * FROM identity").one();
    this.name = row.name;
    this.epoch = row.epoch;
    this.#next = row.next;
  }

  /** Takes what is known in memory from storage again. */
  reload(): void {
    this.#next = this.#sql.exec<{ next: number }>("SELECT next FROM identity").one().next;
  }

  /** The id that the next flush gets. */
  get next(): number {
    return this.#next;
  }

  advance(by: number): void {
    if (by === 0) return;
    this.#next += by;
    this.#sql.exec("UPDATE identity SET next = ?", this.#next);
  }
}
