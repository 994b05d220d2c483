/**
 * Stores the functions that the buffer has acknowledged, and caps their number, so that a sender that invents names cannot
 * fill the store. Calls of functions above the cap count under one name. The cap is applied before the acknowledgement, and
 * no later stage changes a name.
 */
import { mergeDeltas, parseDeltas } from "../stats/delta.ts";
import { keyWithinService, type SeriesSelector } from "../stats/series-id.ts";
import type { BufferLimits } from "./limits.ts";

/** The name for calls above a cap: as a function's name above the cap on functions, as a service's above that on services. */
export const OVERFLOW = "__overflow__";
const OVERFLOW_KEY = keyWithinService("", OVERFLOW);
const DAY_MS = 86_400_000;

export interface Admission {
  /** The service under which the batch counts. */
  service: string;
  /** The keys, within the service, of the functions under which the calls count. */
  called: readonly string[];
  /** Tells whether a function of the batch is above the cap. Null if none is. */
  isOverflow: ((module: string, name: string) => boolean) | null;
}

export class KnownFunctions {
  readonly #sql: SqlStorage;
  readonly #limits: BufferLimits;
  /** By service, the key of each function and the day of its last call; undefined until first needed. */
  #known: Map<string, Map<string, number>> | undefined;
  /** The day on which functions were last forgotten. */
  #forgottenOn = 0;

  constructor(sql: SqlStorage, limits: BufferLimits) {
    this.#sql = sql;
    this.#limits = limits;
    sql.exec(`CREATE TABLE IF NOT EXISTS known_functions (
      service TEXT NOT NULL, module TEXT NOT NULL, name TEXT NOT NULL,
      seen_on INTEGER NOT NULL DEFAULT 0, -- the day of the last call, as days since 1970
      PRIMARY KEY (service, module, name)
    ) WITHOUT ROWID`);
    this.#addDayToOlderTable();
    // A table of its own, so that `overflowing` does not read all functions.
    sql.exec("CREATE TABLE IF NOT EXISTS overflowing (service TEXT PRIMARY KEY) WITHOUT ROWID");
  }

  /** Drops what memory holds. The next use reads it from storage again. */
  reload(): void {
    this.#known = undefined;
    this.#forgottenOn = 0;
  }

  knows(service: string): boolean {
    return this.#load().has(service);
  }

  /** Applies the caps to the functions of a batch, given by their keys. Changes nothing: `remember` stores the new ones. */
  admit(service: string, functions: readonly string[]): Admission {
    const services = this.#load();
    const isNew = !services.has(service);
    const isAboveCap = isNew && services.size >= this.#limits.services;
    if (isAboveCap) return { service: OVERFLOW, called: [OVERFLOW_KEY], isOverflow: () => true };

    const known = services.get(service);
    const unknown = functions.filter((key) => !known?.has(key));
    const taken = (known?.size ?? 0) - Number(known?.has(OVERFLOW_KEY) ?? false);
    const places = Math.max(0, this.#limits.functionsPerService - taken);
    if (unknown.length <= places) return { service, called: functions, isOverflow: null };

    const refused = new Set(unknown.slice(places));
    return {
      service,
      called: [...functions.filter((key) => !refused.has(key)), OVERFLOW_KEY],
      isOverflow: (module, name) => refused.has(keyWithinService(module, name)),
    };
  }

  /**
   * Stores that functions of a service, given by their keys, were called. Writes at most one row for each function and day.
   */
  remember(service: string, called: readonly string[], now: number): void {
    const services = this.#load();
    const today = dayOf(now);
    const known = services.get(service) ?? new Map<string, number>();
    services.set(service, known);
    for (const key of called) {
      if ((known.get(key) ?? -1) >= today) continue;
      this.#sql.exec(
        `INSERT INTO known_functions VALUES (?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET seen_on = max(seen_on, excluded.seen_on)`,
        service,
        ...key.split("\n"),
        today,
      );
      if (key === OVERFLOW_KEY) {
        this.#sql.exec("INSERT OR IGNORE INTO overflowing VALUES (?)", service);
      }
      known.set(key, today);
    }
  }

  /** Forgets functions without a call for `forgetAfterMs`. Does so once a day. */
  forgetSilent(now: number, forgetAfterMs: number): void {
    const today = dayOf(now);
    if (this.#forgottenOn === today) return;
    const { rowsWritten } = this.#sql.exec(
      "DELETE FROM known_functions WHERE seen_on < ?",
      dayOf(now - forgetAfterMs),
    );
    if (rowsWritten > 0) this.#noticeRemoved();
    this.#forgottenOn = today;
  }

  /** Forgets the selected functions, so that they no longer count toward the caps. */
  forget({ service, module, function: name }: SeriesSelector): void {
    this.#sql.exec(
      `DELETE FROM known_functions WHERE service = ?1 AND (?2 IS NULL OR module = ?2) AND (?3 IS NULL OR name = ?3)`,
      service,
      module ?? null,
      name ?? null,
    );
    this.#noticeRemoved();
  }

  /** The services that have calls under `OVERFLOW`. */
  overflowing(): string[] {
    return this.#sql
      .exec<{ service: string }>("SELECT service FROM overflowing")
      .toArray()
      .map(({ service }) => service);
  }

  #noticeRemoved(): void {
    this.#sql.exec(
      `DELETE FROM overflowing WHERE NOT EXISTS (
        SELECT 1 FROM known_functions AS f WHERE f.service = overflowing.service AND f.module = '' AND f.name = ?
      )`,
      OVERFLOW,
    );
    this.reload();
  }

  /** An object that an older release created has a table without the column. Its functions count as called today. */
  #addDayToOlderTable(): void {
    const isPresent = this.#sql
      .exec("SELECT 1 FROM pragma_table_info('known_functions') WHERE name = 'seen_on'")
      .toArray();
    if (isPresent.length > 0) return;
    const today = dayOf(Date.now());
    this.#sql.exec(`ALTER TABLE known_functions ADD COLUMN seen_on INTEGER NOT NULL DEFAULT ${today}`);
  }

  #load(): Map<string, Map<string, number>> {
    if (this.#known) return this.#known;
    this.#known = new Map();
    const rows = this.#sql.exec<{ service: string; module: string; name: string; seen_on: number }>(
      "SELECT * FROM known_functions",
    );
    for (const { service, module, name, seen_on } of rows) {
      const known = this.#known.get(service) ?? new Map<string, number>();
      this.#known.set(service, known.set(keyWithinService(module, name), seen_on));
    }
    return this.#known;
  }
}

function dayOf(now: number): number {
  return Math.floor(now / DAY_MS);
}

/** Returns the deltas, as JSON, with the functions above the cap merged into one. */
export function withOverflow(deltas: string, { service, isOverflow }: Admission): string {
  if (isOverflow === null) return deltas;
  const admitted = parseDeltas(deltas).map((delta) =>
    isOverflow(delta.module, delta.function) ? { ...delta, service, module: "", function: OVERFLOW } : delta,
  );
  return JSON.stringify(mergeDeltas(admitted));
}
