/** Adds a backup to a database, chunk by chunk, each counted once however often the command is run. */
import type { D1, Database } from "../cloudflare/d1.ts";
import { EXIT } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import type { Output } from "../output.ts";
import {
  type Cell,
  type Footer,
  type Header,
  readRows,
  type Row,
  type Table,
  TABLES,
  verifyBackup,
} from "./format.ts";
import { addChunk, COLUMNS } from "./statements.ts";

export interface Restored {
  sha256: string;
  rows: Record<Table, number>;
  /** True if this file was restored here before; then nothing changed. */
  wasComplete: boolean;
}

/** Limits of one chunk: D1 takes 2 MB a parameter, and holds up all others while it writes. */
const CHUNK_ROWS = 1_000;
const CHUNK_BYTES = 500_000;
/** A chunk's number that says that all chunks are in. Above every chunk's own. */
const COMPLETE = 1_000_000_000;

/** @throws {Failure} "undecided" if the database is not empty, unless told to merge */
export async function restore(
  d1: D1,
  { uuid }: Database,
  file: string,
  { merge }: { merge: boolean },
  output: Output,
): Promise<Restored> {
  const { header, footer } = await output.step("Checking the file", () => verifyBackup(file));
  const name = `restore:${footer.sha256}`;
  const { chunks, functions } = await readState(d1, uuid, name);
  if (chunks.has(COMPLETE)) return { sha256: footer.sha256, rows: footer.rows, wasComplete: true };
  if (chunks.size === 0) await refuse(d1, uuid, file, header, { merge, functions });
  await addAll(d1, uuid, file, name, footer, chunks, output);
  return { sha256: footer.sha256, rows: footer.rows, wasComplete: false };
}

interface State {
  /** The file's chunks that the database has. */
  chunks: ReadonlySet<number>;
  functions: number;
}

async function readState(d1: D1, uuid: string, name: string): Promise<State> {
  const [entries, functions] = await d1.query<{ n: number }>(
    uuid,
    { sql: "SELECT n FROM flushes WHERE epoch = ?1", params: [name] },
    // Each deployment sends a sample of its own, which does not make a collector one that is in use.
    {
      sql: "SELECT count(*) AS n FROM functions WHERE NOT (service = 'metrics-collector' AND name = 'deploy')",
    },
  );
  return {
    chunks: new Set(entries!.results.map(({ n }) => n)),
    functions: functions!.results[0]!.n,
  };
}

async function refuse(
  d1: D1,
  uuid: string,
  file: string,
  header: Header,
  { merge, functions }: { merge: boolean; functions: number },
): Promise<void> {
  if (functions > 0 && !merge) {
    throw new Failure(
      `The collector holds ${functions} functions already. A backup is restored into an empty one; --merge adds it to what is there.`,
      EXIT.undecided,
    );
  }
  // What one buffer delivered to both is in both: adding it would count it twice.
  const epochs = new Set<Cell>();
  for await (const { table, row } of readRows(file)) {
    if (table !== "epochs" && table !== "flushes") break;
    epochs.add(row["epoch"]!);
  }
  const [found] = await d1.query<{ n: number }>(uuid, {
    sql: `WITH own AS (SELECT value AS epoch FROM json_each(?1))
      SELECT (SELECT count(*) FROM flushes WHERE epoch IN own) + (SELECT count(*) FROM epochs WHERE epoch IN own) AS n`,
    params: [JSON.stringify([...epochs])],
  });
  if (found!.results[0]!.n > 0) {
    throw new Failure(
      `${file} is a backup of this same collector (${header.name}, ${header.createdAt}), or was restored here as a part of one: ` +
        "what is in it is here already, and would count twice. To go back to it, restore it into an empty collector.",
      EXIT.undecided,
    );
  }
}

async function addAll(
  d1: D1,
  uuid: string,
  file: string,
  name: string,
  footer: Footer,
  known: ReadonlySet<number>,
  output: Output,
): Promise<void> {
  const total = TABLES.reduce((sum, table) => sum + footer.rows[table], 0);
  let n = 0;
  let written = 0;
  // WARNING: the chunks of a file are the same at every run, since the ledger knows them by their number. Nor may the
  // order change: the ledger of flushes goes first, so that a flush that arrives meanwhile is not added to rows that have it.
  for await (const { table, rows } of chunksOf(file)) {
    n++;
    if (!known.has(n)) await d1.query(uuid, ...addChunk(table, rows, name, n));
    written += rows.length;
    output.progress(
      `${Math.floor((written / total) * 100)} % of ${total.toLocaleString("en")} rows restored`,
    );
  }
  await d1.query(uuid, ...addChunk("flushes", [], name, COMPLETE));
  output.endProgress();
}

async function* chunksOf(file: string): AsyncGenerator<{ table: Table; rows: Row[] }> {
  const identities = new Map<Cell, Row>();
  let rows: Row[] = [];
  let bytes = 0;
  let current: Table | undefined;
  for await (const { table, row } of readRows(file)) {
    const added = resolve(table, row, identities);
    const size = JSON.stringify(added).length;
    if (
      current !== undefined &&
      (table !== current || rows.length >= CHUNK_ROWS || bytes + size > CHUNK_BYTES)
    ) {
      yield { table: current, rows };
      rows = [];
      bytes = 0;
    }
    current = table;
    rows.push(added);
    bytes += size;
  }
  if (current !== undefined) yield { table: current, rows };
}

/** Ids differ between databases, so a row of a function names it. @throws {Failure} for columns of a newer version */
function resolve(table: Table, row: Row, identities: Map<Cell, Row>): Row {
  const known: readonly string[] | undefined = COLUMNS[table];
  const strange = known ? Object.keys(row).find((column) => !known.includes(column)) : table;
  if (strange !== undefined) {
    throw new Failure(
      `The backup has ${known ? `the column ${table}.` : "the table "}${strange}, which this version does not know. Restore it with the version that wrote it.`,
    );
  }
  if (table === "functions") {
    const { service, module, name } = row;
    identities.set(row["id"]!, { service: service!, module: module!, function: name! });
  }
  if (table !== "rollups" && table !== "failures") return row;
  const identity = identities.get(row["function_id"]!);
  if (!identity) throw new Failure(`The backup has a row of the table ${table} without its function.`);
  return table === "failures" ? { ...row, failure: row["name"]!, ...identity } : { ...row, ...identity };
}
