/**
 * The functions that were ever acknowledged, so that a sender that invents names cannot fill the store: past the caps,
 * calls are counted under one name. It is decided here, before the acknowledgement; no name changes downstream.
 */
import { limits } from "../limits.ts";
import { mergeDeltas, parseDeltas } from "../stats/delta.ts";
import { keyWithinService } from "../stats/series-id.ts";

/** Where calls past a cap are counted: a function of its service or, past the cap on services, a service of its own. */
export const OVERFLOW = "__overflow__";
const OVERFLOW_KEY = keyWithinService("", OVERFLOW);

export interface Admission {
  /** The service under which the batch counts. */
  service: string;
  /** Keys, within the service, of functions that are new and have a place. */
  fresh: readonly string[];
  /** Tells the functions that have no place, and count as overflow; null where all have one. */
  isOverflow: ((module: string, name: string) => boolean) | null;
}

export class KnownFunctions {
  readonly #sql: SqlStorage;
  /** Keys of functions by service, read from storage when first needed. */
  #known: Map<string, Set<string>> | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS known_functions (
      service TEXT NOT NULL, module TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (service, module, name)
    ) WITHOUT ROWID`);
    // Few, of many that are known: so that who asks for them need not read all.
    sql.exec("CREATE TABLE IF NOT EXISTS overflowing (service TEXT PRIMARY KEY) WITHOUT ROWID");
  }

  /** Forgets what is known in memory: it is read from storage again. */
  reload(): void {
    this.#known = undefined;
  }

  knows(service: string): boolean {
    return this.#load().has(service);
  }

  /** Changes nothing yet: what is fresh becomes known by `remember`. */
  admit(service: string, functions: readonly string[]): Admission {
    const services = this.#load();
    const isNew = !services.has(service);
    const isWhole = isNew && services.size - Number(services.has(OVERFLOW)) >= limits.services;
    if (isWhole) return { ...this.#overflowing(OVERFLOW), isOverflow: () => true };

    const known = services.get(service);
    const unknown = functions.filter((key) => !known?.has(key));
    const taken = (known?.size ?? 0) - Number(known?.has(OVERFLOW_KEY) ?? false);
    const places = Math.max(0, limits.functionsPerService - taken);
    if (unknown.length <= places) return { service, fresh: unknown, isOverflow: null };

    const fresh = unknown.slice(0, places);
    const refused = new Set(unknown.slice(places));
    return {
      service,
      fresh: [...fresh, ...this.#overflowing(service).fresh],
      isOverflow: (module, name) => refused.has(keyWithinService(module, name)),
    };
  }

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

  /** The services some of whose calls are counted under `OVERFLOW`. */
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

/** The deltas, with those that have no place of their own counted together. */
export function withOverflow(deltas: string, { service, isOverflow }: Admission): string {
  if (isOverflow === null) return deltas;
  const admitted = parseDeltas(deltas).map((delta) =>
    isOverflow(delta.module, delta.function) ? { ...delta, service, module: "", function: OVERFLOW } : delta,
  );
  return JSON.stringify(mergeDeltas(admitted));
}
