/** Reads every table page by page, and tells whether anything changed meanwhile. */
import type { D1, Query } from "../cloudflare/d1.ts";
import { type Cell, type Row, type Table, TABLES } from "./format.ts";

/** Rows of one answer: with their histograms some hundred kilobytes. */
const PAGE = 1_000;

/** The primary keys, by which pages follow one another. */
const KEYS = {
  epochs: ["epoch"],
  flushes: ["epoch", "n"],
  functions: ["id"],
  rollups: ["function_id", "width", "start"],
  failures: ["function_id", "name", "message"],
} as const satisfies Record<Table, readonly string[]>;

/** Differs whenever a flush was applied, a floor was raised or a sweep ended. */
const MARK: Query = {
  sql: `SELECT
    (SELECT count(*) || ':' || coalesce(max(applied_at), 0) || ':' || total(n) FROM flushes) AS flushes,
    (SELECT count(*) || ':' || total(floor) FROM epochs) AS floors,
    (SELECT coalesce(max(finished_at), 0) FROM sweeps) AS swept,
    (SELECT total(calls) FROM functions) AS calls`,
};

/** The database changed while it was read, so the pages are of different moments. */
export class ChangedMeanwhile extends Error {
  override name = "ChangedMeanwhile";
}

export class TableReader {
  readonly #d1: D1;
  readonly #uuid: string;
  readonly #mustHold: boolean;
  /** Calls by function: its total less its rollups. All are 0 where rows are of one moment. */
  readonly #balance = new Map<Cell, number>();
  #mark: string | undefined;

  /** With `mustHold`, reading ends with ChangedMeanwhile once the database changes. */
  constructor(d1: D1, uuid: string, mustHold: boolean) {
    this.#d1 = d1;
    this.#uuid = uuid;
    this.#mustHold = mustHold;
  }

  /** @throws {ChangedMeanwhile} */
  async *rows(): AsyncGenerator<{ table: Table; row: Row }> {
    for (const table of TABLES) {
      let last: Row | undefined;
      do {
        const page = await this.#page(table, last);
        for (const row of page) {
          this.#weigh(table, row);
          yield { table, row };
        }
        last = page.length === PAGE ? page.at(-1) : undefined;
      } while (last);
    }
    await this.#compareMarks((await this.#d1.query<Row>(this.#uuid, MARK))[0]!.results[0]!);
    // A sweep moves rollups and is marked only when it ends. What it moved between two pages shows here.
    if (this.#mustHold && [...this.#balance.values()].some((calls) => calls !== 0))
      throw new ChangedMeanwhile();
  }

  async #page(table: Table, last: Row | undefined): Promise<Row[]> {
    const keys = KEYS[table];
    const list = keys.join(", ");
    const after = last ? `WHERE (${list}) > (${keys.map(() => "?").join(", ")})` : "";
    const params = last ? keys.map((key) => last[key]!) : [];
    const page: Query = { sql: `SELECT * FROM ${table} ${after} ORDER BY ${list} LIMIT ${PAGE}`, params };
    // One transaction, so the mark is the page's own.
    const [mark, rows] = await this.#d1.query<Row>(this.#uuid, MARK, page);
    await this.#compareMarks(mark!.results[0]!);
    return rows!.results;
  }

  async #compareMarks(found: Row): Promise<void> {
    const mark = JSON.stringify(found);
    this.#mark ??= mark;
    if (this.#mustHold && mark !== this.#mark) throw new ChangedMeanwhile();
  }

  #weigh(table: Table, row: Row): void {
    if (table !== "functions" && table !== "rollups") return;
    const id = table === "functions" ? row["id"]! : row["function_id"]!;
    const calls = (row["calls"] as number) * (table === "functions" ? 1 : -1);
    this.#balance.set(id, (this.#balance.get(id) ?? 0) + calls);
  }
}
