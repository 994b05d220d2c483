/**
 * Writes the wrangler configuration of one installation, from the package's wrangler.toml and the names and ids in
 * use. The file lies beside the installation's record; wrangler.toml itself is never changed.
 */
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { installation } from "../installation.ts";
import { copyMigrations } from "../migrations.ts";
import type { Names } from "../names.ts";
import type { InstallationRecord } from "../record.ts";

interface Template {
  [key: string]: unknown;
  vars?: Record<string, string>;
  queues?: {
    producers?: { queue: string }[];
    consumers?: { queue: string; dead_letter_queue?: string }[];
  };
  d1_databases?: Record<string, unknown>[];
}

export interface ConfigurationOptions {
  names: Names;
  /** What the Worker binds and migrations change. Null for a local collector, which has its own. */
  database: { uuid: string; name: string } | null;
  vars: Record<string, string>;
  /** Where it is deployed. */
  target?: { accountId: string; isOnWorkersDev: boolean };
}

/** Writes it into an installation's folder, with the migrations beside it. Gives its path. */
export async function writeConfiguration(
  { folder }: InstallationRecord,
  options: ConfigurationOptions,
): Promise<string> {
  await copyMigrations(join(folder, "migrations"));
  return buildConfiguration(folder, options);
}

export async function buildConfiguration(folder: string, options: ConfigurationOptions): Promise<string> {
  const { names, database, vars, target } = options;
  const template = readTemplate();
  const [binding = {}] = template.d1_databases ?? [];
  const { preview_database_id: _, database_id: __, ...bound } = binding;
  const { build: ___, ...kept } = template;
  const configuration = {
    ...kept,
    ...(target ? { account_id: target.accountId, workers_dev: target.isOnWorkersDev } : {}),
    name: names.worker,
    main: pathFrom(folder, installation.worker),
    // The bundle is uploaded as it was built and tested, not bundled again.
    no_bundle: true,
    find_additional_modules: false,
    minify: false,
    assets: { ...(template["assets"] as object), directory: pathFrom(folder, installation.dashboard) },
    vars: { ...template.vars, ...vars },
    queues: renameQueues(template, names),
    d1_databases: [
      {
        ...bound,
        database_name: database?.name ?? names.database,
        database_id: database?.uuid ?? "local",
        migrations_dir: "migrations",
      },
    ],
  };
  const path = join(folder, "wrangler.json");
  await writeFile(path, `${JSON.stringify(configuration, null, 2)}\n`);
  return path;
}

/** The variables that wrangler.toml sets. To be read once the Worker is built. */
export function defaultVars(): Record<string, string> {
  return readTemplate().vars ?? {};
}

function readTemplate(): Template {
  return JSON.parse(readFileSync(installation.template, "utf8")) as Template;
}

/** Tells the two queues apart by what they are for: wrangler.toml may name them as it likes. */
function renameQueues({ queues }: Template, names: Names): Template["queues"] {
  const { producers = [], consumers = [] } = queues ?? {};
  const deadLetters = new Set(consumers.map((consumer) => consumer.dead_letter_queue));
  const renamed = (queue: string) => (deadLetters.has(queue) ? names.deadLetters : names.flushes);
  return {
    producers: producers.map((producer) => ({ ...producer, queue: renamed(producer.queue) })),
    consumers: consumers.map((consumer) => ({
      ...consumer,
      queue: renamed(consumer.queue),
      ...(consumer.dead_letter_queue === undefined ? {} : { dead_letter_queue: names.deadLetters }),
    })),
  };
}

/** Wrangler takes paths relative to its configuration. Across drives of Windows there is no relative path. */
const pathFrom = (folder: string, path: string) => relative(folder, path).replaceAll("\\", "/") || path;
