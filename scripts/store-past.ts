/** Writes old rollups into a stopped server's D1, because the API takes no samples older than 48 hours. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DAY, HOUR, MINUTE } from "../src/stats/tiers.ts";
import { SEEDED_MINUTES, SHOP, type Sum, sumOf } from "./seed.ts";

/** The calls of one minute or one hour. */
interface Rollup {
  /** Seconds: `MINUTE` or `HOUR`. */
  width: number;
  /** Epoch seconds. */
  start: number;
  calls: number;
  errors: number;
  unmeasured: number;
  sumUs: number;
  minMs: number | null;
  maxMs: number | null;
  histogram: Record<string, number>;
}

export interface Past {
  service: string;
  module?: string;
  function: string;
  /** In order of time. */
  rollups: Rollup[];
}

/** An hour with so many calls of 32.5 ms. `start` is in epoch seconds. */
export function hourOf(start: number, calls: number): Rollup {
  // The bucket of 32 ms to 32.7 ms.
  const durations = { sumUs: calls * 32_500, minMs: 32.5, maxMs: 32.5, histogram: { 160: calls } };
  return { width: HOUR, start, calls, errors: 0, unmeasured: 0, ...durations };
}

/** The same number of calls in each hour of so many days, up to 49 hours ago, where the server still keeps hours. */
export function steadyHours(days: number, calls: number): Rollup[] {
  const thisHour = Math.floor(Date.now() / 1000 / HOUR) * HOUR;
  return Array.from({ length: days * 24 - 49 }, (_, i) => hourOf(thisHour - days * DAY + i * HOUR, calls));
}

/**
 * The shop's calls of the 28 days before those that `seed` sends: minutes of the last 48 hours and hours before them, as the
 * server keeps them. All hours are alike.
 */
export function shopPast(): Past[] {
  const thisMinute = Math.floor(Date.now() / 60_000) * MINUTE;
  const end = thisMinute - (SEEDED_MINUTES - 1) * MINUTE;
  const cut = Math.floor((thisMinute - 2 * DAY) / HOUR) * HOUR;
  return SHOP.map((profile, number) => {
    const anHour = Array.from({ length: 60 }, (_, i) => rollupOf(sumOf(profile, number, 6_000 + i, 0)));
    const sum = total(anHour);
    const rollups: Rollup[] = [];
    for (let start = cut - 26 * DAY; start < cut; start += HOUR) rollups.push({ ...sum, width: HOUR, start });
    for (let start = cut; start < end; start += MINUTE) {
      const minutesAgo = (thisMinute - start) / MINUTE;
      rollups.push({ ...anHour[minutesAgo % 60]!, start });
    }
    const { service, module = "", function: name } = profile;
    return { service, module, function: name, rollups: rollups.filter(({ calls }) => calls > 0) };
  });
}

function rollupOf({ calls, errors, unmeasured, sumMs, minMs, maxMs, histogram }: Sum): Rollup {
  const sumUs = Math.round(sumMs * 1000);
  return { width: MINUTE, start: 0, calls, errors, unmeasured, sumUs, minMs, maxMs, histogram };
}

/** Stores functions with these rollups. Totals equal their sum, as the server keeps them. */
export async function storePast(stateFolder: string, past: readonly Past[]): Promise<void> {
  const db = new DatabaseSync(await findDatabase(stateFolder));
  const addFunction = db.prepare(
    "INSERT INTO functions (service, module, name, calls, errors, unmeasured, sum_us, min_ms, max_ms, histogram, first_seen, last_seen) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const addRollup = db.prepare("INSERT INTO rollups VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  db.exec("BEGIN");
  for (const { service, module = "", function: name, rollups } of past) {
    const [first, last] = [rollups[0]!, rollups.at(-1)!];
    const { lastInsertRowid } = addFunction.run(
      service,
      module,
      name,
      ...tallyOf(total(rollups)),
      first.start * 1000,
      (last.start + last.width) * 1000 - 1,
    );
    for (const rollup of rollups) {
      addRollup.run(lastInsertRowid, rollup.width, rollup.start, ...tallyOf(rollup));
    }
  }
  db.exec("COMMIT");
  db.close();
}

function total(rollups: readonly Rollup[]): Omit<Rollup, "width" | "start"> {
  const sum = { calls: 0, errors: 0, unmeasured: 0, sumUs: 0 };
  const histogram: Record<string, number> = {};
  let [minMs, maxMs] = [Infinity, -Infinity];
  for (const rollup of rollups) {
    for (const name of ["calls", "errors", "unmeasured", "sumUs"] as const) sum[name] += rollup[name];
    for (const [bucket, calls] of Object.entries(rollup.histogram)) {
      histogram[bucket] = (histogram[bucket] ?? 0) + calls;
    }
    minMs = Math.min(minMs, rollup.minMs ?? Infinity);
    maxMs = Math.max(maxMs, rollup.maxMs ?? -Infinity);
  }
  const hasDurations = minMs <= maxMs;
  return { ...sum, minMs: hasDurations ? minMs : null, maxMs: hasDurations ? maxMs : null, histogram };
}

/** In the order of the columns. */
function tallyOf({
  calls,
  errors,
  unmeasured,
  sumUs,
  minMs,
  maxMs,
  histogram,
}: Omit<Rollup, "width" | "start">) {
  return [calls, errors, unmeasured, sumUs, minMs, maxMs, JSON.stringify(histogram)];
}

/** The file with the table of functions: Durable Objects and D1 both store SQLite files. */
async function findDatabase(stateFolder: string): Promise<string> {
  for (const entry of await readdir(stateFolder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".sqlite")) continue;
    const path = join(entry.parentPath, entry.name);
    const db = new DatabaseSync(path, { readOnly: true });
    const found = db.prepare("SELECT name FROM sqlite_master WHERE name = 'rollups'").get();
    db.close();
    if (found) return path;
  }
  throw new Error(`No D1 database with rollups in ${stateFolder}.`);
}
