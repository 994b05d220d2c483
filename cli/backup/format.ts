/**
 * The backup file: gzip of JSON lines. The first line is a header, each further line a row of a table, and the last
 * line counts the rows and holds the SHA-256 of every line before it.
 */
import { createHash, type Hash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { Failure } from "../failure.ts";

/** In the order in which they are written and restored: rows of a later table refer to those of an earlier one. */
export const TABLES = ["epochs", "flushes", "deletions", "functions", "rollups", "failures"] as const;
/**
 * Tables that no call is counted in: what the hourly job did last, which ids it still has to clean up, and which hours and
 * days it has closed. A restored database closes them anew. A copy of counts that saves reads. And
 * what a person has muted for a time.
 */
export const NOT_BACKED_UP = [
  "sweeps",
  "deleted_functions",
  "closed",
  "attention_memory",
  "mutes",
  "sinks",
  "feed",
  "swept",
] as const;
export type Table = (typeof TABLES)[number];

export type Cell = string | number | null;
export type Row = Record<string, Cell>;

export interface Header {
  format: "metrics-collector-backup";
  formatVersion: 1;
  /** ISO 8601. */
  createdAt: string;
  /** The version of metrics-collector that wrote it. */
  version: string;
  account: string;
  name: string;
  /** The database's migrations, which say which columns there are. */
  migrations: string[];
  /** Whether every row is of one moment. */
  isConsistent: boolean;
}

export interface Footer {
  end: true;
  rows: Record<Table, number>;
  sha256: string;
}

type Line = Header | Footer | { table: Table; row: Row };

/** Streams to `path`. The caller renames it once all is well. */
export async function writeBackup(
  path: string,
  header: Header,
  rows: AsyncIterable<{ table: Table; row: Row }>,
): Promise<Footer> {
  const hash = createHash("sha256");
  const counts = Object.fromEntries(TABLES.map((table) => [table, 0])) as Record<Table, number>;
  let footer: Footer | undefined;
  async function* lines(): AsyncGenerator<string> {
    yield hashed(hash, header);
    for await (const line of rows) {
      counts[line.table]++;
      yield hashed(hash, line);
    }
    footer = { end: true, rows: counts, sha256: hash.digest("hex") };
    yield `${JSON.stringify(footer)}\n`;
  }
  await pipeline(lines, createGzip(), createWriteStream(path, { mode: 0o600 }));
  return footer!;
}

function hashed(hash: Hash, line: Line): string {
  const text = `${JSON.stringify(line)}\n`;
  hash.update(text);
  return text;
}

/** Reads the whole file once and checks it. @throws {Failure} if it is not a backup, is cut off, or was changed */
export async function verifyBackup(path: string): Promise<{ header: Header; footer: Footer }> {
  const hash = createHash("sha256");
  let header: Header | undefined;
  let footer: Footer | undefined;
  for await (const { line, text } of readLines(path)) {
    if (footer) throw damaged(path, "it goes on after its end");
    if (!header) {
      if (!("format" in line) || line.format !== "metrics-collector-backup")
        throw damaged(path, "it has no header");
      header = line;
    }
    if ("end" in line) footer = line;
    else hash.update(`${text}\n`);
  }
  if (!header || !footer) throw damaged(path, "its end is missing");
  if (footer.sha256 !== hash.digest("hex")) throw damaged(path, "its checksum is wrong");
  if (header.formatVersion !== 1) {
    throw new Failure(
      `${path} has format ${String(header.formatVersion)}, which this version does not read. Use the version that wrote it: ${header.version}.`,
    );
  }
  return { header, footer };
}

/** The rows of a file that was verified. */
export async function* readRows(path: string): AsyncGenerator<{ table: Table; row: Row }> {
  for await (const { line } of readLines(path)) if ("table" in line) yield line;
}

async function* readLines(path: string): AsyncGenerator<{ line: Line; text: string }> {
  const file = createReadStream(path);
  const unzipped = createGunzip();
  // An error must end the reading, whichever stream has it.
  file.on("error", (error) => unzipped.destroy(error));
  try {
    for await (const text of createInterface({ input: file.pipe(unzipped), crlfDelay: Infinity })) {
      yield { line: JSON.parse(text) as Line, text };
    }
    if (unzipped.errored) throw unzipped.errored;
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw damaged(path, (error as Error).message);
  }
}

const damaged = (path: string, why: string) =>
  new Failure(`${path} is not a whole backup: ${why}. Nothing was restored.`);
