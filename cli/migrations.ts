/** The database's migrations: which this version has, which the database has, and how the rest is applied. */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { D1 } from "./cloudflare/d1.ts";
import { installation } from "./installation.ts";
import { taken } from "./installed.ts";

export interface MigrationState {
  pending: string[];
  /** Applied by a newer version than this. */
  unknown: string[];
}

export async function ownMigrations(folder: string = installation.migrations): Promise<string[]> {
  const files = await readdir(folder);
  return files.filter((file) => file.endsWith(".sql")).sort();
}

/** @throws {Failure} "undecided" if the database holds somebody else's tables */
export async function readMigrationState(d1: D1, uuid: string, name: string): Promise<MigrationState> {
  const own = await ownMigrations();
  const [tables] = await d1.query<{ name: string }>(uuid, {
    sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\'",
  });
  const names = new Set(tables!.results.map((table) => table.name));
  if (!names.has("d1_migrations")) {
    if (names.size > 0) throw taken(`D1 database "${name}"`);
    return { pending: own, unknown: [] };
  }
  const [rows] = await d1.query<{ name: string }>(uuid, {
    sql: "SELECT name FROM d1_migrations ORDER BY id",
  });
  const applied = new Set(rows!.results.map((row) => row.name));
  if (applied.size > 0 && !own.some((file) => applied.has(file))) throw taken(`D1 database "${name}"`);
  return {
    pending: own.filter((file) => !applied.has(file)),
    unknown: [...applied].filter((file) => !own.includes(file)),
  };
}

/**
 * Copies the migrations into a folder, with the line ends that D1 can read: it takes a trigger with CRLF for
 * incomplete, and git on Windows may write CRLF.
 */
export async function copyMigrations(folder: string, from: string = installation.migrations): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const file of await ownMigrations(from)) {
    const text = await readFile(join(from, file), "utf8");
    await writeFile(join(folder, file), text.replaceAll("\r\n", "\n"));
  }
}
