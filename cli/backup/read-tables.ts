/** Reads every table page by page, and tells whether anything changed meanwhile. */
import type { D1, Query } from "../cloudflare/d1.ts";
import { type Cell, type Row, type Table, TABLES } from "./format.ts";

/** Rows of one answer: with their histograms some hundred kilobytes. */
const PAGE = 1_000;

/** The primary keys, by which pages follow one another. */
const KEYS = {
  epochs: ["epoch"],
  flushes: ["epoch", "n"],
  deletions: ["epoch", "n"],
  functions: ["id"],
  rollups: ["function_id", "width", "start"],
  failures: ["function_id", "name", "message"],
} as const satisfies Record<Table, readonly string[]>;

const HOUR = 3_600;
const DAY = 86_400;
/** Minutes younger than this and hours younger than this are all there: the hourly job deletes older ones only. Seconds. */
const ALL_MINUTES = 47 * HOUR;
const ALL_HOURS = 89 * DAY;

/**
 * Selects the rollups `r` that hold each call once. The rollup of a closed hour or day includes finer ones, which may still
 * be there: then the finer ones are taken if all of them are, and otherwise the closed one. `now` is epoch seconds.
 */
function withoutRepetition(now: number): string {
  const openFrom = (resolution: number) =>
    `coalesce((SELECT iif(r.function_id <= upto, next, until) FROM closed WHERE resolution = ${resolution}), 0)`;
  const minutesFrom = Math.floor((now - ALL_MINUTES) / HOUR) * HOUR;
  const hoursFrom = Math.floor((now - ALL_HOURS) / DAY) * DAY;
  return `CASE r.width
    WHEN 60 THEN r.start >= ${minutesFrom} OR r.start >= ${openFrom(HOUR)}
    WHEN ${HOUR} THEN iif(r.start >= ${minutesFrom},
      r.start >= ${openFrom(HOUR)}, r.start >= ${hoursFrom} OR r.start >= ${openFrom(DAY)})
    ELSE r.start < ${hoursFrom} OR r.start >= ${openFrom(DAY)} END`;
}

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
  readonly #now = Date.now() / 1000;
  #mark: string | undefined;
  #hasClosed = false;

  /** With `mustHold`, reading ends with ChangedMeanwhile once the database changes. */
  constructor(d1: D1, uuid: string, mustHold: boolean) {
    this.#d1 = d1;
    this.#uuid = uuid;
    this.#mustHold = mustHold;
  }

  /** @throws {ChangedMeanwhile} */
  async *rows(): AsyncGenerator<{ table: Table; row: Row }> {
    for (const table of await this.#tables()) {
      let last: Row | undefined;
      do {
        const page = await this.#page(table, last);
        for (const row of page) {
          if (this.#isLeftover(table, row)) continue;
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

  /** Those that there are: a database of an older version lacks the newer ones. */
  async #tables(): Promise<Table[]> {
    const [found] = await this.#d1.query<{ name: string }>(this.#uuid, {
      sql: "SELECT name FROM sqlite_master WHERE type = 'table'",
    });
    const names = new Set(found!.results.map(({ name }) => name));
    this.#hasClosed = names.has("closed");
    return TABLES.filter((table) => names.has(table));
  }

  /** Rows of a deleted function stay until the hourly job deletes them. They count for nothing. */
  #isLeftover(table: Table, row: Row): boolean {
    return (table === "rollups" || table === "failures") && !this.#balance.has(row["function_id"]!);
  }

  async #page(table: Table, last: Row | undefined): Promise<Row[]> {
    const keys = KEYS[table];
    const list = keys.join(", ");
    const conditions = [
      ...(last ? [`(${list}) > (${keys.map(() => "?").join(", ")})`] : []),
      ...(table === "rollups" && this.#hasClosed ? [withoutRepetition(this.#now)] : []),
    ];
    const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
    const params = last ? keys.map((key) => last[key]!) : [];
    const page: Query = {
      sql: `SELECT * FROM ${table} AS r ${where} ORDER BY ${list} LIMIT ${PAGE}`,
      params,
    };
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
