/**
 * The calls that alerts are judged by, as the object keeps them: each function's minutes of two days, and its hours of 28 days.
 *
 * Minutes that can still change are read again at every evaluation and written once more. Older ones are settled. One row holds
 * an hour of all functions, so an evaluation writes one or two rows, whatever the number of functions. Memory holds the last
 * hours of all functions; the rest is read when a judgement needs it.
 */
import type { RecentSeries } from "../../read/recent-calls.ts";
import { type CallCells, type Cell, slowerThan } from "../../stats/call-cells.ts";
import { floorTo } from "../../stats/interval.ts";
import { idOf, type SeriesId, seriesKey } from "../../stats/series-id.ts";
import { DAY, HOUR, MINUTE } from "../../stats/tiers.ts";
import { pack, type PackedCells, partOf, sumCells, unpack } from "./cell-rows.ts";

/** Hours that memory holds of every function: the longest window of a page, and the current hour. */
const RECENT_HOURS = 7;
const MINUTES_KEPT_HOURS = 48;
const DAYS_KEPT = 29;

export interface Followed extends SeriesId {
  n: number;
  /** In D1. Null as long as D1 does not have it. */
  id: number | null;
  firstSeen: number;
  lastSeen: number;
  /** Epoch seconds. Calls before are not known, or 0 if all are. */
  knownSince: number;
  /** Since when slow calls are counted, by limit. 0: for all calls. */
  limits: Record<string, number>;
  /** The recent minutes, by start. */
  minutes: Map<number, Cell>;
  older?: { minutes: Cell[]; hours: Cell[] };
}

interface Meta {
  /** Epoch seconds. Minutes before it are settled. */
  settledUntil: number;
  evaluatedAt: number;
  /** Calls and errors before `settledUntil`, by number of the function. */
  earlier: Record<string, [number, number]>;
}

export class CallStore {
  readonly #sql: SqlStorage;
  #series = new Map<string, Followed>();
  #meta: Meta | undefined;
  #isLoaded = false;
  #nextN = 1;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Forgets what memory holds, so that it is read from storage again. */
  reload(): void {
    this.#isLoaded = false;
  }

  load(): void {
    if (this.#isLoaded) return;
    this.#series = new Map();
    this.#meta = undefined;
    this.#nextN = 1;
    const byN = new Map<string, Followed>();
    const rows = this.#sql.exec<{ n: number; key: string; known_since: number; limits: string }>(
      "SELECT * FROM series",
    );
    for (const { n, key, known_since: knownSince, limits } of rows) {
      const [service = "", module = "", name = ""] = key.split("\n");
      const one: Followed = {
        service,
        module,
        function: name,
        n,
        id: null,
        firstSeen: 0,
        lastSeen: 0,
        knownSince,
        limits: JSON.parse(limits) as Record<string, number>,
        minutes: new Map(),
      };
      this.#series.set(key, one);
      byN.set(String(n), one);
      this.#nextN = Math.max(this.#nextN, n + 1);
    }
    const hours = this.#sql.exec<{ hour: number; part: number; cells: string; meta: string }>(
      "SELECT * FROM hours WHERE hour > (SELECT MAX(hour) FROM hours) - ? ORDER BY hour, part",
      RECENT_HOURS * HOUR,
    );
    for (const { hour, cells, meta } of hours) {
      for (const [n, packed] of Object.entries(JSON.parse(cells) as PackedCells)) {
        const one = byN.get(n);
        if (one) for (const cell of unpack(packed, hour, MINUTE)) one.minutes.set(cell.start, cell);
      }
      if (meta !== "") this.#meta = JSON.parse(meta) as Meta;
    }
    this.#isLoaded = true;
  }

  /** Epoch seconds of the last evaluation. 0 if there was none. */
  get evaluatedAt(): number {
    return this.#meta?.evaluatedAt ?? 0;
  }

  /** As `evaluatedAt`, without reading all cells from storage. */
  lastEvaluation(): number {
    if (this.#isLoaded) return this.evaluatedAt;
    const [row] = this.#sql
      .exec<{ meta: string }>("SELECT meta FROM hours WHERE meta <> '' ORDER BY hour DESC LIMIT 1")
      .toArray();
    return row ? (JSON.parse(row.meta) as Meta).evaluatedAt : 0;
  }

  /** From when on minutes must be read, in epoch seconds. */
  readFrom(now: number): number {
    const oldest = recentSince(now);
    const settled = this.#meta?.settledUntil ?? 0;
    return settled > now ? oldest : Math.max(oldest, settled);
  }

  all(): Followed[] {
    return [...this.#series.values()];
  }

  /**
   * Takes what was read from `from` on. Functions that were not read are forgotten.
   *
   * @param limitsOf the limits in milliseconds above which calls are counted; undefined if durations do not matter
   * @returns functions with calls that came too late for the minutes that were read
   */
  take(
    read: readonly RecentSeries[],
    from: number,
    limitsOf: (id: SeriesId) => readonly number[] | undefined,
  ): RecentSeries[] {
    const before = this.#series;
    // Between the last evaluation and `from`, calls were missed.
    const hasGap = this.#meta !== undefined && this.#meta.settledUntil < from;
    const earlier: Meta["earlier"] = {};
    const late: RecentSeries[] = [];
    this.#series = new Map();
    for (const series of read) {
      const key = seriesKey(series);
      const sum = sumOf(series.minutes);
      const rest: [number, number] = [series.calls - sum.calls, series.errors - sum.errors];
      const known = before.get(key);
      const expected = known && !hasGap ? this.#meta?.earlier[known.n] : undefined;
      // Only a deletion makes a function have fewer calls. What is called now is another function of that name.
      const isDeleted = expected !== undefined && rest[0] < expected[0];
      const one = this.#followed(isDeleted ? undefined : known, series, from, hasGap);
      this.#series.set(key, one);
      const limits = limitsOf(series);
      this.#beginLimits(one, limits ?? [], from);
      replaceMinutes(one, series, from, limits);
      earlier[one.n] = rest;
      if (expected && !isDeleted && (expected[0] !== rest[0] || expected[1] !== rest[1])) late.push(series);
    }
    this.#meta = { settledUntil: from, evaluatedAt: this.#meta?.evaluatedAt ?? 0, earlier };
    return late;
  }

  /** Replaces the recent minutes of some functions, which were read from `from` on because of late calls. */
  retake(
    read: readonly RecentSeries[],
    from: number,
    limitsOf: (id: SeriesId) => readonly number[] | undefined,
  ): void {
    for (const series of read) {
      const one = this.#series.get(seriesKey(series));
      if (one) replaceMinutes(one, series, from, limitsOf(series));
    }
  }

  /** What is known of a function before `now` (epoch seconds). Older calls only if they were loaded. */
  cellsOf(one: Followed, now: number): CallCells {
    const recent: Cell[] = [];
    for (const cell of one.minutes.values()) if (cell.start < now) recent.push(cell);
    recent.sort((a, b) => a.start - b.start);
    const { minutes = [], hours = [] } = one.older ?? {};
    const lastSeen = Math.min(one.lastSeen, now * 1000);
    return {
      firstSeen: one.firstSeen,
      lastSeen,
      minutes: minutes.length > 0 ? [...minutes, ...recent] : recent,
      hours,
    };
  }

  /** Reads the calls before the recent minutes, for functions that have none loaded. */
  loadOlder(functions: readonly Followed[]): void {
    const wanted = new Map(functions.filter(({ older }) => !older).map((one) => [String(one.n), one]));
    if (wanted.size === 0) return;
    for (const one of wanted.values()) one.older = { minutes: [], hours: [] };
    const parts = [...new Set([...wanted.values()].map(({ n }) => partOf(n)))];
    const among = `part IN (${parts.join(",")})`;
    const days = this.#sql.exec<{ day: number; cells: string }>(
      `SELECT day, cells FROM days WHERE ${among} ORDER BY day`,
    );
    for (const { day, cells } of days) {
      for (const [n, packed] of Object.entries(JSON.parse(cells) as PackedCells)) {
        wanted.get(n)?.older!.hours.push(...unpack(packed, day, HOUR));
      }
    }
    const hours = this.#sql.exec<{ hour: number; cells: string }>(
      `SELECT hour, cells FROM hours WHERE ${among} AND hour <= (SELECT MAX(hour) FROM hours) - ? ORDER BY hour`,
      RECENT_HOURS * HOUR,
    );
    for (const { hour, cells } of hours) {
      for (const [n, packed] of Object.entries(JSON.parse(cells) as PackedCells)) {
        wanted.get(n)?.older!.minutes.push(...unpack(packed, hour, MINUTE));
      }
    }
  }

  /**
   * Stores the past of functions that was read from D1: hours, and minutes before the recent ones. What is in memory stays as
   * it is, but for slow calls, which are counted where they were not.
   */
  addPast(
    pasts: readonly { one: Followed; minutes: Cell[]; hours: Cell[]; limits: readonly number[] }[],
    now: number,
  ): void {
    const recentFrom = recentSince(now);
    const byHour = new Map<number, PackedCells>();
    const byDay = new Map<number, PackedCells>();
    for (const { one, minutes, hours, limits } of pasts) {
      for (const cell of minutes) {
        if (cell.start >= recentFrom && cell.slow) {
          const known = one.minutes.get(cell.start);
          if (known) Object.assign(known, { measured: cell.measured, sumUs: cell.sumUs, slow: cell.slow });
        }
      }
      const old = minutes.filter(({ start }) => start < recentFrom);
      for (const [hour, own] of Map.groupBy(old, ({ start }) => floorTo(start, HOUR))) {
        put(byHour, hour)[one.n] = pack(own, hour, MINUTE);
      }
      for (const [day, own] of Map.groupBy(hours, ({ start }) => floorTo(start, DAY))) {
        put(byDay, day)[one.n] = pack(own, day, HOUR);
      }
      one.older = { minutes: old, hours };
      one.knownSince = 0;
      for (const limit of limits) one.limits[limit] = 0;
      this.#writeSeries(one);
    }
    for (const [hour, cells] of byHour) this.#merge("hours", "hour", hour, cells);
    for (const [day, cells] of byDay) this.#merge("days", "day", day, cells);
  }

  /** Writes what `take` changed. `now` is in epoch seconds; minutes before `settledUntil` will not be read again. */
  save(from: number, settledUntil: number, evaluatedAt: number, now: number): void {
    const meta = this.#meta!;
    for (const one of this.#series.values()) {
      const rest = meta.earlier[one.n]!;
      for (const cell of one.minutes.values()) {
        if (cell.start < meta.settledUntil || cell.start >= settledUntil) continue;
        rest[0] += cell.calls;
        rest[1] += cell.errors;
      }
    }
    if (floorTo(now, HOUR) !== floorTo(meta.evaluatedAt, HOUR)) this.#forgetOlder(now);
    meta.settledUntil = settledUntil;
    meta.evaluatedAt = evaluatedAt;
    this.#age(now);
    const parts = new Set([0, ...[...this.#series.values()].map(({ n }) => partOf(n))]);
    const last = floorTo(now, HOUR);
    for (let hour = floorTo(from, HOUR); hour <= last; hour += HOUR) {
      for (const part of parts) {
        const cells: PackedCells = {};
        for (const one of this.#series.values()) {
          if (partOf(one.n) !== part) continue;
          const own = cellsWithin(one, hour);
          if (own.length > 0) cells[one.n] = pack(own, hour, MINUTE);
        }
        const text = part === 0 && hour === last ? JSON.stringify(meta) : "";
        this.#sql.exec(
          "INSERT OR REPLACE INTO hours VALUES (?, ?, ?, ?)",
          hour,
          part,
          JSON.stringify(cells),
          text,
        );
      }
    }
  }

  #followed(known: Followed | undefined, series: RecentSeries, from: number, hasGap: boolean): Followed {
    const { id, firstSeen, lastSeen } = series;
    if (known) {
      Object.assign(known, { id, firstSeen, lastSeen });
      if (hasGap && known.knownSince !== from) {
        Object.assign(known, { knownSince: from });
        this.#writeSeries(known);
      }
      return known;
    }
    const one: Followed = {
      ...idOf(series),
      n: this.#nextN++,
      id,
      firstSeen,
      lastSeen,
      knownSince: firstSeen / 1000 >= from ? 0 : from,
      limits: {},
      minutes: new Map(),
    };
    this.#writeSeries(one);
    return one;
  }

  /** Notes since when calls above new limits are counted. */
  #beginLimits(one: Followed, limits: readonly number[], from: number): void {
    const added = limits.filter((limit) => !(limit in one.limits));
    if (added.length === 0) return;
    for (const limit of added) one.limits[limit] = one.firstSeen / 1000 >= from ? 0 : from;
    this.#writeSeries(one);
  }

  #writeSeries(one: Followed): void {
    const key = seriesKey(one);
    this.#sql.exec(
      "INSERT OR REPLACE INTO series VALUES (?, ?, ?, ?)",
      one.n,
      key,
      one.knownSince,
      JSON.stringify(one.limits),
    );
  }

  /** Moves the hours of minutes that are older than two days into their days, and forgets what is older than 28 days. */
  #age(now: number): void {
    const cut = floorTo(now, HOUR) - MINUTES_KEPT_HOURS * HOUR;
    const old = this.#sql
      .exec<{ hour: number; part: number; cells: string }>(
        "SELECT hour, part, cells FROM hours WHERE hour < ?",
        cut,
      )
      .toArray();
    if (old.length === 0) return;
    const byDay = new Map<number, Map<string, Cell[]>>();
    for (const { hour, cells } of old) {
      const day = floorTo(hour, DAY);
      for (const [n, packed] of Object.entries(JSON.parse(cells) as PackedCells)) {
        const ofDay = byDay.get(day) ?? new Map<string, Cell[]>();
        byDay.set(day, ofDay);
        ofDay.set(n, [...(ofDay.get(n) ?? []), sumCells(unpack(packed, hour, MINUTE), hour)]);
      }
    }
    for (const [day, byN] of byDay) {
      const cells: PackedCells = {};
      for (const [n, own] of byN) cells[n] = pack(own, day, HOUR);
      this.#merge("days", "day", day, cells);
    }
    this.#sql.exec("DELETE FROM hours WHERE hour < ?", cut);
    this.#sql.exec("DELETE FROM days WHERE day < ?", floorTo(now, DAY) - DAYS_KEPT * DAY);
    this.#forgetSeries();
  }

  /** In a new hour, memory's recent minutes begin an hour later, as in storage. */
  #forgetOlder(now: number): void {
    for (const one of this.#series.values()) {
      for (const start of one.minutes.keys()) if (start < recentSince(now)) one.minutes.delete(start);
      delete one.older;
    }
  }

  /** Deletes the numbers of functions that are gone. Their cells age with the others. */
  #forgetSeries(): void {
    const kept = [...this.#series.values()].map(({ n }) => n);
    this.#sql.exec(
      "DELETE FROM series WHERE n NOT IN (SELECT value FROM json_each(?))",
      JSON.stringify(kept),
    );
  }

  /** Adds cells of functions to a row, in place of those of the same time. */
  #merge(table: "hours" | "days", column: "hour" | "day", at: number, cells: PackedCells): void {
    const [width, from] = table === "hours" ? [MINUTE, at] : [HOUR, at];
    const byPart = Map.groupBy(Object.entries(cells), ([n]) => partOf(Number(n)));
    for (const [part, own] of byPart) {
      const [row] = this.#sql
        .exec<{ cells: string }>(`SELECT cells FROM ${table} WHERE ${column} = ? AND part = ?`, at, part)
        .toArray();
      const stored = row ? (JSON.parse(row.cells) as PackedCells) : {};
      for (const [n, packed] of own) {
        const added = unpack(packed, from, width);
        const starts = new Set(added.map(({ start }) => start));
        const known = stored[n]
          ? unpack(stored[n], from, width).filter(({ start }) => !starts.has(start))
          : [];
        stored[n] = pack([...known, ...added], from, width);
      }
      const text = JSON.stringify(stored);
      if (table === "days") this.#sql.exec("INSERT OR REPLACE INTO days VALUES (?, ?, ?)", at, part, text);
      else if (row) this.#sql.exec("UPDATE hours SET cells = ? WHERE hour = ? AND part = ?", text, at, part);
      else this.#sql.exec("INSERT INTO hours VALUES (?, ?, ?, '')", at, part, text);
    }
  }
}

/** From when on memory holds the minutes of every function, in epoch seconds. */
export function recentSince(now: number): number {
  return floorTo(now, HOUR) - (RECENT_HOURS - 1) * HOUR;
}

function put(rows: Map<number, PackedCells>, at: number): PackedCells {
  const known = rows.get(at) ?? {};
  rows.set(at, known);
  return known;
}

function cellsWithin({ minutes }: Followed, hour: number): Cell[] {
  const own: Cell[] = [];
  for (let start = hour; start < hour + HOUR; start += MINUTE) {
    const cell = minutes.get(start);
    if (cell) own.push(cell);
  }
  return own;
}

/** Replaces the minutes from `from` on by those that were read. */
function replaceMinutes(
  one: Followed,
  { minutes }: RecentSeries,
  from: number,
  limits: readonly number[] | undefined,
): void {
  for (const start of one.minutes.keys()) if (start >= from) one.minutes.delete(start);
  for (const part of minutes) {
    if (part.calls === 0) continue;
    const cell = one.minutes.get(part.start) ?? {
      start: part.start,
      calls: 0,
      errors: 0,
      measured: 0,
      sumUs: 0,
    };
    cell.calls += part.calls;
    cell.errors += part.errors;
    if (limits) {
      cell.measured += part.measured;
      cell.sumUs += part.sumUs;
      for (const limit of limits) {
        const slow = slowerThan(limit, part.buckets ?? [], part.maxMs);
        (cell.slow ??= {})[limit] = (cell.slow[limit] ?? 0) + slow;
      }
    }
    one.minutes.set(part.start, cell);
  }
}

function sumOf(parts: readonly { calls: number; errors: number }[]): { calls: number; errors: number } {
  const sum = { calls: 0, errors: 0 };
  for (const { calls, errors } of parts) {
    sum.calls += calls;
    sum.errors += errors;
  }
  return sum;
}
