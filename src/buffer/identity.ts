/** The identity of a buffer: its name, its epoch, and the id that its next flush gets. */

export class Identity {
  readonly #sql: SqlStorage;
  readonly name: string;
  /** Random, and created together with the tables. A buffer that lost its storage therefore never reuses a flush id. */
  readonly epoch: string;
  #next: number;

  constructor(sql: SqlStorage, name: string) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS identity (
      id INTEGER PRIMARY KEY CHECK (id = 0), name TEXT NOT NULL, epoch TEXT NOT NULL, next INTEGER NOT NULL
    )`);
    // WARNING: never use an epoch or an id twice. D1 takes the second flush for one that it has, and its calls are lost.
    sql.exec("INSERT OR IGNORE INTO identity VALUES (0, ?, ?, 1)", name, crypto.randomUUID());
    const row = sql.exec<{ name: string; epoch: string; next: number }>("SELECT * FROM identity").one();
    this.name = row.name;
    this.epoch = row.epoch;
    this.#next = row.next;
  }

  /** Reads the next id from storage again. */
  reload(): void {
    this.#next = this.#sql.exec<{ next: number }>("SELECT next FROM identity").one().next;
  }

  /** The id that the next flush gets. */
  get next(): number {
    return this.#next;
  }

  /** Uses up the next ids. */
  advance(by: number): void {
    this.#next += by;
    this.#sql.exec("UPDATE identity SET next = ?", this.#next);
  }
}
