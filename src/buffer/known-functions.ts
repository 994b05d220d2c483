/**
 * The functions that the buffer has ever acknowledged. They are capped, so that a sender that invents names cannot fill the
 * store: calls of functions above the cap count under one name. The cap is applied before the acknowledgement, and no later
 * stage changes a name.
 */
import { mergeDeltas, parseDeltas } from "../stats/delta.ts";
import { keyWithinService } from "../stats/series-id.ts";
import type { BufferLimits } from "./limits.ts";

/** Name for calls above a cap: of a function within its service or, above the cap on services, of a service. */
export const OVERFLOW = "__overflow__";
const OVERFLOW_KEY = keyWithinService("", OVERFLOW);

export interface Admission {
  /** The service under which the batch counts. */
  service: string;
  /** Keys, within the service, of new functions that are within the cap. */
  fresh: readonly string[];
  /** Tells whether a function is above the cap. Null if none is. */
  isOverflow: ((module: string, name: string) => boolean) | null;
}

export class KnownFunctions {
  readonly #sql: SqlStorage;
  readonly #limits: BufferLimits;
  /** Keys of functions by service; undefined until they are first needed. */
  #known: Map<string, Set<string>> | undefined;

  constructor(sql: SqlStorage, limits: BufferLimits) {
    this.#sql = sql;
    this.#limits = limits;
    sql.exec(`CREATE TABLE IF NOT EXISTS known_functions (
      service TEXT NOT NULL, module TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (service, module, name)
    ) WITHOUT ROWID`);
    // A table of its own, so that `overflowing` does not read all functions.
    sql.exec("CREATE TABLE IF NOT EXISTS overflowing (service TEXT PRIMARY KEY) WITHOUT ROWID");
  }

  /** Drops what memory holds. The next use reads it from storage again. */
  reload(): void {
    this.#known = undefined;
  }

  knows(service: string): boolean {
    return this.#load().has(service);
  }

  /** Applies the caps to the functions of a batch, given by their keys. Changes nothing: `remember` stores the new ones. */
  admit(service: string, functions: readonly string[]): Admission {
    const services = this.#load();
    const isNew = !services.has(service);
    const isAboveCap = isNew && services.size >= this.#limits.services;
    if (isAboveCap) return { ...this.#overflowing(OVERFLOW), isOverflow: () => true };

    const known = services.get(service);
    const unknown = functions.filter((key) => !known?.has(key));
    const taken = (known?.size ?? 0) - Number(known?.has(OVERFLOW_KEY) ?? false);
    const places = Math.max(0, this.#limits.functionsPerService - taken);
    if (unknown.length <= places) return { service, fresh: unknown, isOverflow: null };

    const fresh = unknown.slice(0, places);
    const refused = new Set(unknown.slice(places));
    return {
      service,
      fresh: [...fresh, ...this.#overflowing(service).fresh],
      isOverflow: (module, name) => refused.has(keyWithinService(module, name)),
    };
  }

  /** Stores new functions of a service, given by their keys. */
  remember(service: string, fresh: readonly string[]): void {
    const services = this.#load();
    for (const key of fresh) {
      this.#sql.exec("INSERT OR IGNORE INTO known_functions VALUES (?, ?, ?)", service, ...key.split("\n"));
      if (key === OVERFLOW_KEY) {
        this.#sql.exec("INSERT OR IGNORE INTO overflowing VALUES (?)", service);
      }
      const known = services.get(service) ?? new Set();
      services.set(service, known.add(key));
    }
  }

  /** The services that have calls under `OVERFLOW`. */
  overflowing(): string[] {
    return this.#sql
      .exec<{ service: string }>("SELECT service FROM overflowing")
      .toArray()
      .map(({ service }) => service);
  }

  #overflowing(service: string): { service: string; fresh: string[] } {
    const isKnown = this.#load().get(service)?.has(OVERFLOW_KEY) === true;
    return { service, fresh: isKnown ? [] : [OVERFLOW_KEY] };
  }

  #load(): Map<string, Set<string>> {
    if (this.#known) return this.#known;
    this.#known = new Map();
    const rows = this.#sql.exec<{ service: string; module: string; name: string }>(
      "SELECT * FROM known_functions",
    );
    for (const { service, module, name } of rows) {
      const known = this.#known.get(service) ?? new Set();
      this.#known.set(service, known.add(keyWithinService(module, name)));
    }
    return this.#known;
  }
}

/** The deltas, as JSON, with the functions above the cap merged into one. */
export function withOverflow(deltas: string, { service, isOverflow }: Admission): string {
  if (isOverflow === null) return deltas;
  const admitted = parseDeltas(deltas).map((delta) =>
    isOverflow(delta.module, delta.function) ? { ...delta, service, module: "", function: OVERFLOW } : delta,
  );
  return JSON.stringify(mergeDeltas(admitted));
}
