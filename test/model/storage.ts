/** Empty storage for each history, in a tenth of the time that new storage with its migrations would take. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { buffer } from "../worker.ts";

export async function emptyStorage(): Promise<void> {
  await Promise.all([emptyD1(), emptyBuffer()]);
}

/** The buffer starts anew: as another one, with an epoch of its own. */
export async function emptyBuffer(): Promise<void> {
  await runInDurableObject(buffer(), (_, state) => state.storage.deleteAll());
  await evictDurableObject(buffer());
}

let tables: string[] | undefined;

async function emptyD1(): Promise<void> {
  tables ??= await ownTables();
  await env.DB.batch([
    ...tables.map((table) => env.DB.prepare(`DELETE FROM ${table}`)),
    env.DB.prepare("DELETE FROM search_failures"),
    env.DB.prepare("INSERT INTO search_functions (search_functions) VALUES ('delete-all')"),
  ]);
}

/** All but those of SQLite, of D1, of the migrations and of the search indexes. */
async function ownTables(): Promise<string[]> {
  const { results } = await env.DB.prepare(
    `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '_cf_*'
     AND name NOT GLOB 'search_*' AND name <> 'd1_migrations'`,
  ).all<{ name: string }>();
  return results.map(({ name }) => name);
}
