/** Writes old rollups into a stopped server's D1, because the API takes no samples older than 48 hours. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export interface Past {
  service: string;
  function: string;
  /** Each with the beginning of its hour in epoch seconds. */
  hours: { start: number; calls: number; errors?: number }[];
}

/** The same number of calls in each hour of so many days, up to 49 hours ago, where the server still keeps hours. */
export function steadyHours(days: number, calls: number): Past["hours"] {
  const thisHour = Math.floor(Date.now() / 1000 / HOUR) * HOUR;
  return Array.from({ length: days * 24 - 49 }, (_, i) => ({
    start: thisHour - days * DAY + i * HOUR,
    calls,
  }));
}

/** Every call took 32.5 ms. Totals equal the sum of the rollups, as the server keeps them. */
export async function storePast(stateFolder: string, past: readonly Past[]): Promise<void> {
  const db = new DatabaseSync(await findDatabase(stateFolder));
  const addFunction = db.prepare(
    "INSERT INTO functions (service, module, name, calls, errors, unmeasured, sum_us, min_ms, max_ms, histogram, first_seen, last_seen) VALUES (?, '', ?, ?, ?, 0, ?, 32.5, 32.5, ?, ?, ?)",
  );
  const addRollup = db.prepare("INSERT INTO rollups VALUES (?, 3600, ?, ?, ?, 0, ?, 32.5, 32.5, ?)");
  db.exec("BEGIN");
  for (const { service, function: name, hours } of past) {
    const total = (of: (hour: Past["hours"][number]) => number) =>
      hours.reduce((sum, hour) => sum + of(hour), 0);
    const calls = total((hour) => hour.calls);
    const { lastInsertRowid } = addFunction.run(
      service,
      name,
      calls,
      total(({ errors = 0 }) => errors),
      calls * 32_500,
      histogramOf(calls),
      hours[0]!.start * 1000,
      (hours.at(-1)!.start + HOUR - 1) * 1000,
    );
    for (const { start, calls, errors = 0 } of hours) {
      addRollup.run(lastInsertRowid, start, calls, errors, calls * 32_500, histogramOf(calls));
    }
  }
  db.exec("COMMIT");
  db.close();
}

/** The bucket of 32 ms to 32.7 ms. */
function histogramOf(calls: number): string {
  return JSON.stringify({ 160: calls });
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
