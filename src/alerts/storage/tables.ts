/** The tables of the Durable Object. They are made at the first write, so that an object that is only asked costs no row. */

const STATEMENTS = [
  `CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS rules (id TEXT PRIMARY KEY, rule TEXT NOT NULL) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS targets (
    id TEXT PRIMARY KEY, target TEXT NOT NULL, secrets TEXT NOT NULL, status TEXT NOT NULL
  ) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS silences (id TEXT PRIMARY KEY, silence TEXT NOT NULL) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS alerts (key TEXT PRIMARY KEY, alert TEXT NOT NULL) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS events (n INTEGER PRIMARY KEY, event TEXT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS outbox (
    n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, lane TEXT NOT NULL, target TEXT NOT NULL,
    due INTEGER NOT NULL, attempts INTEGER NOT NULL, message TEXT NOT NULL
  )`,
  `CREATE TABLE IF NOT EXISTS deliveries (n INTEGER PRIMARY KEY, delivery TEXT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS series (
    n INTEGER PRIMARY KEY, key TEXT NOT NULL, known_since INTEGER NOT NULL, limits TEXT NOT NULL
  )`,
  `CREATE TABLE IF NOT EXISTS hours (
    hour INTEGER NOT NULL, part INTEGER NOT NULL, cells TEXT NOT NULL, meta TEXT NOT NULL, PRIMARY KEY (hour, part)
  ) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS days (
    day INTEGER NOT NULL, part INTEGER NOT NULL, cells TEXT NOT NULL, PRIMARY KEY (day, part)
  ) WITHOUT ROWID`,
];

export class Tables {
  readonly #sql: SqlStorage;
  #exist: boolean;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#exist = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'settings'").toArray().length > 0;
  }

  /** Whether something was ever written. Without it, every list is empty. */
  get exist(): boolean {
    return this.#exist;
  }

  create(): void {
    if (this.#exist) return;
    for (const statement of STATEMENTS) this.#sql.exec(statement);
    this.#exist = true;
  }
}
