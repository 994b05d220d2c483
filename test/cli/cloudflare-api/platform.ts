/**
 * Runs what the stand-in holds: D1 databases, and Workers exactly as they were uploaded, in the platform's own runtime
 * (miniflare). A Worker is started when it is first asked after an upload.
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import type { Account, Script } from "./state.ts";

type Database = Awaited<ReturnType<Miniflare["getD1Database"]>>;
type Options = Parameters<typeof convertV4MiniflareOptions>[0];
type WorkerOptions = Extract<Options, { workers: unknown }>["workers"][number];

/** Made ahead, since each restart of the runtime costs more than an idle database. */
const SPARE_DATABASES = 8;
const NO_CODE = "export default { fetch: () => new Response(null, { status: 404 }) }";

export class Platform {
  readonly #folder: string;
  readonly #spare: string[] = [];
  readonly #databases: string[] = [];
  #miniflare: Miniflare | undefined;
  #workers: WorkerOptions[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async start(): Promise<Platform> {
    return new Platform(await mkdtemp(join(tmpdir(), "metrics-collector-platform-")));
  }

  /** Gives the id of a new, empty database. */
  async newDatabase(): Promise<string> {
    if (this.#spare.length === 0) {
      const made = Array.from({ length: SPARE_DATABASES }, () => randomUUID());
      this.#spare.push(...made);
      this.#databases.push(...made);
      if (this.#miniflare) await this.#restart();
    }
    return this.#spare.pop()!;
  }

  async database(uuid: string): Promise<Database> {
    return (await this.#running()).getD1Database(bindingOf(uuid), "host");
  }

  /** Stands for the content: it changes when the database does. */
  async bookmark(uuid: string): Promise<string> {
    const db = await this.database(uuid);
    const { results } = await db.prepare("SELECT * FROM pragma_data_version()").all();
    return createHash("sha256").update(JSON.stringify(results)).digest("hex").slice(0, 48);
  }

  /** Starts a Worker's present version with its present secrets, in the place of an earlier one. Its objects stay. */
  async run(account: Account, name: string, script: Script): Promise<void> {
    const options = await this.#optionsOf(account, name, script);
    this.#workers = [...this.#workers.filter((worker) => worker.name !== options.name), options];
    if (this.#miniflare) await this.#restart();
  }

  /** Workers of earlier tests would make every restart slower. */
  forgetWorkers(): void {
    this.#workers = [];
  }

  async fetch(account: Account, name: string, request: Request): Promise<Response> {
    const worker = await (await this.#running()).getWorker(runtimeName(account, name));
    const { method, url, headers } = request;
    const body = method === "GET" || method === "HEAD" ? null : await request.arrayBuffer();
    return worker.fetch(url, {
      method,
      headers: Object.fromEntries(headers),
      body,
      redirect: "manual",
    } as never) as unknown as Promise<Response>;
  }

  async stop(): Promise<void> {
    await this.#miniflare?.dispose();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #running(): Promise<Miniflare> {
    this.#miniflare ??= new Miniflare(this.#options());
    await this.#miniflare.ready;
    return this.#miniflare;
  }

  async #restart(): Promise<void> {
    await this.#miniflare!.setOptions(this.#options());
  }

  #options() {
    const host: WorkerOptions = {
      name: "host",
      modules: true,
      script: NO_CODE,
      compatibilityDate: "2026-11-02",
      d1Databases: Object.fromEntries(this.#databases.map((uuid) => [bindingOf(uuid), uuid])),
    };
    return convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      resourcePersistencePath: join(this.#folder, "state"),
      handleStructuredLogs: () => {},
      workers: [host, ...this.#workers],
    });
  }

  async #optionsOf(account: Account, name: string, { version, secrets }: Script): Promise<WorkerOptions> {
    const { id, modules, mainModule, bindings, assets, compatibilityDate } = version!;
    const root = join(this.#folder, "uploads", id);
    for (const [path, bytes] of modules) await write(join(root, "code", path), bytes);
    for (const [path, hash] of Object.entries(assets)) {
      await write(join(root, "assets", path), account.assets.get(hash)!);
    }
    const of = (type: string) => bindings.filter((binding) => binding.type === type);
    const named = <Value>(type: string, value: (binding: (typeof bindings)[number]) => Value) =>
      Object.fromEntries(of(type).map((binding) => [binding.name, value(binding)]));
    const queueName = (queue: unknown) => `${account.world}-${queue as string}`;
    return {
      name: runtimeName(account, name),
      modules: [
        {
          type: "ESModule",
          path: join(root, "code", mainModule),
        },
      ],
      modulesRoot: join(root, "code"),
      compatibilityDate,
      bindings: {
        ...named("plain_text", ({ text }) => text as string),
        ...Object.fromEntries(secrets),
      },
      d1Databases: named("d1", (binding) => (binding["id"] ?? binding["database_id"]) as string),
      durableObjects: named("durable_object_namespace", (binding) => ({
        className: binding["class_name"] as string,
        useSQLite: true,
      })),
      queueProducers: named("queue", (binding) => ({ queueName: queueName(binding["queue_name"]) })),
      queueConsumers: Object.fromEntries(
        account.queues
          .filter(({ consumers }) => consumers.some(({ script }) => script === name))
          .map(({ queue_name, consumers }) => [
            queueName(queue_name),
            {
              maxBatchSize: consumers[0]!.settings["batch_size"] ?? 10,
              maxBatchTimeout: 1,
              maxRetries: consumers[0]!.settings["max_retries"] ?? 3,
              ...(consumers[0]!.dead_letter_queue === undefined
                ? {}
                : { deadLetterQueue: queueName(consumers[0]!.dead_letter_queue) }),
            },
          ]),
      ),
      ratelimits: named("ratelimit", (binding) => ({
        namespace_id: binding["namespace_id"] as string,
        simple: binding["simple"] as { limit: number; period: 10 | 60 },
      })),
      ...(Object.keys(assets).length > 0
        ? { assets: { directory: join(root, "assets"), routerConfig: { has_user_worker: true } } }
        : {}),
    } as WorkerOptions;
  }
}

const bindingOf = (uuid: string) => `DB_${uuid.replaceAll("-", "_")}`;
const runtimeName = (account: Account, name: string) => `${account.world}-${name}`;

async function write(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
}
