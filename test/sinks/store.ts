/**
 * A store that keeps what a webhook sink sends, as a real one would: of each key the row with the highest version. It stands in
 * for `fetch`, since the runtime of the tests reaches no server.
 */
import { vi } from "vitest";
import type { Part } from "../model/counts.ts";

export const STORE_URL = "http://store.example/rows";

/** What becomes of a request. */
export type RequestFate =
  | "taken"
  | "taken, and its answer is lost"
  | "lost"
  | "arrives later"
  | "refused"
  | "busy";

interface StoredRow {
  service: string;
  module: string;
  function: string;
  start: number;
  seconds: number;
  part: string;
  version: number;
  calls: number;
  errors: number;
  unmeasured: number;
  sumMs: number;
  minMs: number | null;
  maxMs: number | null;
  histogram: Record<string, number>;
}

interface StoredDeletion {
  service?: string;
  module?: string;
  function?: string;
  from?: number;
  to?: number;
  belowVersion: number;
}

type Content = { type: "metrics.rows"; rows: StoredRow[] } | ({ type: "metrics.deletion" } & StoredDeletion);

export class Store {
  readonly rows = new Map<string, StoredRow>();
  readonly requests: { headers: Headers; body: string }[] = [];
  /** Of the next requests. Later ones are taken. */
  fates: RequestFate[] = [];
  /** Rows that the store refuses, by their function. */
  bad = new Set<string>();
  #late: Content[] = [];

  /** From now on, requests to the store's address come here. Ends with `vi.unstubAllGlobals()`. */
  open(): void {
    const real = globalThis.fetch;
    vi.stubGlobal("fetch", async (url: string, init?: RequestInit) => {
      if (url !== STORE_URL) return real(url, init);
      return this.#answer(new Headers(init!.headers), init!.body as string);
    });
  }

  #answer(headers: Headers, body: string): Response {
    const content = JSON.parse(body) as Content;
    this.requests.push({ headers, body });
    for (const late of this.#late.splice(0)) this.#take(late);
    const fate = this.fates.shift() ?? "taken";
    if (fate === "refused") return new Response("no such user", { status: 401 });
    if (fate === "busy") return new Response("busy", { status: 503 });
    if (fate === "arrives later") this.#late.push(content);
    if (fate.startsWith("taken")) {
      if (content.type === "metrics.rows" && content.rows.some((row) => this.bad.has(row.function))) {
        return new Response("one row is bad", { status: 400 });
      }
      this.#take(content);
    }
    if (fate !== "taken") throw new TypeError("Network connection lost.");
    return new Response(null, { status: 204 });
  }

  #take(content: Content): void {
    if (content.type === "metrics.deletion") {
      for (const [key, row] of this.rows) if (isDeleted(row, content)) this.rows.delete(key);
      return;
    }
    for (const row of content.rows) {
      const key = [row.service, row.module, row.function, row.start, row.seconds, row.part].join("\n");
      const known = this.rows.get(key);
      if (!known || known.version <= row.version) this.rows.set(key, row);
    }
  }

  /** The rows in the form in which the model counts. */
  parts(): Part[] {
    return [...this.rows.values()].map(({ sumMs, service, function: name, start, ...row }) => ({
      ...row,
      function: `${service}/${name}`,
      minute: start,
      sumUs: Math.round(sumMs * 1000),
      failures: {},
    }));
  }
}

function isDeleted(row: StoredRow, deletion: StoredDeletion): boolean {
  const fits = (field: "service" | "module" | "function") =>
    deletion[field] === undefined || deletion[field] === row[field];
  return (
    row.version < deletion.belowVersion &&
    (["service", "module", "function"] as const).every(fits) &&
    (deletion.from === undefined || row.start >= deletion.from) &&
    (deletion.to === undefined || row.start < deletion.to)
  );
}
