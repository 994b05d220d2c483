/** A table of JSON values by id. */

export class JsonRows<Value> {
  readonly #sql: SqlStorage;
  readonly #table: string;
  readonly #column: string;
  readonly #key: string;

  constructor(sql: SqlStorage, table: string, column: string, key = "id") {
    this.#sql = sql;
    this.#table = table;
    this.#column = column;
    this.#key = key;
  }

  all(): { id: string; value: Value }[] {
    return this.#sql
      .exec<{ id: string; json: string }>(
        `SELECT ${this.#key} AS id, ${this.#column} AS json FROM ${this.#table} ORDER BY 1`,
      )
      .toArray()
      .map(({ id, json }) => ({ id, value: JSON.parse(json) as Value }));
  }

  get(id: string): Value | undefined {
    const [row] = this.#sql
      .exec<{ json: string }>(`SELECT ${this.#column} AS json FROM ${this.#table} WHERE ${this.#key} = ?`, id)
      .toArray();
    return row && (JSON.parse(row.json) as Value);
  }

  put(id: string, value: Value): void {
    this.#sql.exec(
      `INSERT INTO ${this.#table} (${this.#key}, ${this.#column}) VALUES (?, ?)
       ON CONFLICT DO UPDATE SET ${this.#column} = excluded.${this.#column}`,
      id,
      JSON.stringify(value),
    );
  }

  /** False if there was none. */
  delete(id: string): boolean {
    return this.#sql.exec(`DELETE FROM ${this.#table} WHERE ${this.#key} = ?`, id).rowsWritten > 0;
  }
}
