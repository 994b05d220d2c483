/** Reads and changes the state folder of a server that is not running. */
import { execFile } from "node:child_process";
import { cp, glob, rm } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { PROJECT, WRANGLER } from "../wrangler.ts";
import type { Tallies, Tally } from "./tally.ts";

interface Row {
  service: string;
  name: string;
  calls: number;
  errors: number;
  unmeasured: number;
  sum_us: number;
  min_ms: number | null;
  max_ms: number | null;
  histogram: string;
}

/** Every rollup in D1, by "service function start". `start` is in epoch seconds. */
export async function readRollups(stateFolder: string): Promise<Tallies> {
  const rows = await queryD1<Row & { start: number }>(
    stateFolder,
    "SELECT f.service, f.name, r.* FROM rollups AS r JOIN functions AS f ON f.id = r.function_id WHERE r.width = 60",
  );
  return Object.fromEntries(rows.map((row) => [`${row.service} ${row.name} ${row.start}`, tallyOf(row)]));
}

/** The totals of each function in D1, by "service function". */
export async function readTotals(stateFolder: string): Promise<Tallies> {
  const rows = await queryD1<Row>(stateFolder, "SELECT * FROM functions");
  return Object.fromEntries(rows.map((row) => [`${row.service} ${row.name}`, tallyOf(row)]));
}

function tallyOf({ calls, errors, unmeasured, sum_us, min_ms, max_ms, histogram }: Row): Tally {
  return {
    calls,
    errors,
    unmeasured,
    sumUs: sum_us,
    minMs: min_ms,
    maxMs: max_ms,
    histogram: JSON.parse(histogram) as Record<string, number>,
  };
}

/** Makes every flush in the outbox due now. After many losses the buffer would wait up to an hour. */
export async function makeFlushesDue(stateFolder: string): Promise<void> {
  for await (const file of glob("**/do/**/*.sqlite", { cwd: stateFolder })) {
    const db = new DatabaseSync(join(stateFolder, file));
    const hasOutbox = db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'outbox'").get();
    if (hasOutbox) db.exec("UPDATE outbox SET due = 0");
    db.close();
  }
}

/** Copies D1's files. The server must not run. */
export async function copyD1(stateFolder: string): Promise<void> {
  await rm(copyOfD1(stateFolder), { recursive: true, force: true });
  await cp(folderOfD1(stateFolder), copyOfD1(stateFolder), { recursive: true });
}

/** Takes D1 back to the copy, as Time Travel does. The server must not run. */
export async function takeD1Back(stateFolder: string): Promise<void> {
  await rm(folderOfD1(stateFolder), { recursive: true });
  await cp(copyOfD1(stateFolder), folderOfD1(stateFolder), { recursive: true });
}

function folderOfD1(stateFolder: string): string {
  return join(stateFolder, "v3/d1");
}

function copyOfD1(stateFolder: string): string {
  return join(stateFolder, "copy-of-d1");
}

async function queryD1<Row>(stateFolder: string, sql: string): Promise<Row[]> {
  const args = ["d1", "execute", "DB", "--local", "--persist-to", stateFolder, "--json", "--command", sql];
  const { stdout } = await promisify(execFile)(process.execPath, [WRANGLER, ...args], {
    cwd: PROJECT,
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
  });
  const [result] = JSON.parse(stdout) as [{ results: Row[] }];
  return result.results;
}
