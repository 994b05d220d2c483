/** Writes everything that counts from D1 into one file. */
import { rename, rm } from "node:fs/promises";
import type { Database } from "../cloudflare/d1.ts";
import { Failure } from "../failure.ts";
import { count } from "../count.ts";
import type { Cloud } from "../installed.ts";
import { installation } from "../installation.ts";
import { ownMigrations } from "../migrations.ts";
import type { Output } from "../output.ts";
import { askHealth } from "../worker-address.ts";
import { type Footer, type Row, type Table, writeBackup } from "./format.ts";
import { ChangedMeanwhile, TableReader } from "./read-tables.ts";

/** Readings that must see the database unchanged. The next takes it as it comes, and the file says so. */
const ATTEMPTS = 4;

export interface BackedUp extends Footer {
  file: string;
  /** False if the database never held still: rows may be of different moments. */
  isConsistent: boolean;
  /** Samples that wait in the buffer and are not in the file; null where the Worker could not be asked. */
  waitingSamples: number | null;
}

/** The file appears whole or not at all. */
export async function backUp(
  cloud: Cloud,
  { uuid }: Database,
  file: string,
  output: Output,
): Promise<BackedUp> {
  const partial = `${file}.partial`;
  try {
    for (let attempt = 1; ; attempt++) {
      const isConsistent = attempt <= ATTEMPTS;
      try {
        const reader = new TableReader(cloud.d1, uuid, isConsistent);
        const header = {
          format: "metrics-collector-backup" as const,
          formatVersion: 1 as const,
          createdAt: new Date().toISOString(),
          version: installation.version,
          account: cloud.account.id,
          name: cloud.names.worker,
          migrations: await ownMigrations(),
          isConsistent,
        };
        const footer = await writeBackup(partial, header, shown(reader.rows(), output));
        output.endProgress();
        await rename(partial, file);
        output.changed(
          `${file} holds ${count(footer.rows.functions, "function")} and ${count(footer.rows.rollups, "rollup")}`,
        );
        return { ...footer, file, isConsistent, waitingSamples: await waitingSamples(cloud) };
      } catch (error) {
        output.endProgress();
        if (!(error instanceof ChangedMeanwhile)) throw error;
      }
    }
  } finally {
    await rm(partial, { force: true });
  }
}

async function* shown(rows: AsyncIterable<{ table: Table; row: Row }>, output: Output) {
  let n = 0;
  for await (const row of rows) {
    if (++n % 1000 === 0) output.progress(`${n.toLocaleString("en")} rows read, now ${row.table}`);
    yield row;
  }
}

async function waitingSamples(cloud: Cloud): Promise<number | null> {
  try {
    return (await askHealth(cloud)).health.bufferedSamples;
  } catch (error) {
    if (error instanceof Failure) return null;
    throw error;
  }
}
