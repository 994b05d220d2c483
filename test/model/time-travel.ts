/** Copies D1 and takes it back to a copy, as Time Travel does: all tables at once, and nothing else. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { buffer } from "../worker.ts";
import { emptyD1, ownTables } from "./storage.ts";

/** The rows of each table. */
type Copy = Map<string, Record<string, unknown>[]>;

/** An id of the buffer's present epoch. */
interface Sealed {
  n: number;
  isKnownToCopy: boolean;
  /** In the outbox: unconfirmed or kept. */
  isPresent: boolean;
  isConfirmed: boolean;
}

export async function copyD1(): Promise<Copy> {
  const tables = await ownTables();
  const results = await env.DB.batch<Record<string, unknown>>(
    tables.map((table) => env.DB.prepare(`SELECT * FROM ${table}`)),
  );
  return new Map(tables.map((table, i) => [table, results[i]!.results]));
}

/** Asks D1 for nothing, since each history begins with it. */
export async function copyOfEmptyD1(): Promise<Copy> {
  return new Map((await ownTables()).map((table) => [table, []]));
}

/** Triggers fill the search indexes. */
export async function takeD1BackTo(copy: Copy): Promise<void> {
  await emptyD1();
  // A failure is found in the index by the name of its function.
  const tables = [...copy].sort(([a], [b]) => Number(b === "functions") - Number(a === "functions"));
  const filled = tables.filter(([, rows]) => rows.length > 0);
  if (filled.length === 0) return;
  await env.DB.batch(
    filled.map(([table, rows]) => {
      const columns = Object.keys(rows[0]!);
      const values = columns.map((column) => `value ->> '${column}'`).join(", ");
      return env.DB.prepare(
        `INSERT INTO ${table} (${columns.join(", ")}) SELECT ${values} FROM json_each(?)`,
      ).bind(JSON.stringify(rows));
    }),
  );
}

/** What the buffer and the copy know of each flush of the buffer's epoch. */
export async function sealedIds(copy: Copy): Promise<{ epoch: string; sealed: Sealed[] }> {
  const { epoch, next, outbox } = await runInDurableObject(buffer(), (_, { storage: { sql } }) => ({
    ...sql.exec<{ epoch: string; next: number }>("SELECT epoch, next FROM identity").one(),
    outbox: new Map(
      sql
        .exec<{ n: number; kept_at: number | null }>("SELECT n, kept_at FROM outbox")
        .toArray()
        .map(({ n, kept_at }) => [n, kept_at !== null]),
    ),
  }));
  const ofEpoch = (table: string) => copy.get(table)!.filter((row) => row["epoch"] === epoch);
  const entries = new Set(ofEpoch("flushes").map(({ n }) => n as number));
  const floor = (ofEpoch("epochs")[0]?.["floor"] ?? 1) as number;
  const sealed = Array.from({ length: next - 1 }, (_, i) => ({
    n: i + 1,
    isKnownToCopy: i + 1 < floor || entries.has(i + 1),
    isPresent: outbox.has(i + 1),
    isConfirmed: outbox.get(i + 1) ?? true,
  }));
  return { epoch, sealed };
}
