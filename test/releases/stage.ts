/**
 * Runs releases of the Worker and of its object over one state folder, in the platform's own runtime. During a deployment the two
 * are of different releases for some minutes.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { readD1Migrations } from "@cloudflare/vitest-plugin";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { vi } from "vitest";
import { unstable_readConfig } from "wrangler";
import { bundle } from "../../scripts/runtime.ts";
import { PROJECT } from "../../scripts/wrangler.ts";

/** A built release. */
export interface Release {
  script: string;
  migrations: string;
  /** Class names of its Durable Objects besides the buffer, by binding. */
  objects: Record<string, string>;
}

/** What runs. Without a consumer, messages stay in the queue until a later stage delivers them. */
export interface Cast {
  worker: Release;
  object: Release;
  isConsumed?: boolean;
}

const COMPATIBILITY_DATE = "2026-11-02";
const QUEUE = "metrics-collector-flushes";
const VARS = {
  // Each batch is sealed at once, unless a flush is unconfirmed.
  MAX_ITEMS: "1",
  MAX_WAITING_TIME: "3600",
  FORGET_AFTER_DAYS: "30",
  KEEP_FLUSHES_HOURS: "24",
  CORS_ORIGINS: "",
  ALLOWED_HOSTS: "",
  OPEN_WITHOUT_TOKENS: "true",
};
/** Takes every message and keeps it, as a queue does whose consumer is paused. */
const KEEPER = `const kept = [];
export default {
  fetch: () => Response.json(kept),
  queue(batch) { for (const { body } of batch.messages) kept.push(body); },
};`;
/** Only ends a test that hangs. */
const WITHIN_MS = 60_000;

/** A release from this folder, by its version. Its bundle is unpacked into `folder`. */
export async function releaseOf(version: string, folder: string): Promise<Release> {
  const home = join(PROJECT, "test/releases", version);
  const script = join(folder, version, "worker.js");
  await mkdir(dirname(script), { recursive: true });
  await writeFile(script, gunzipSync(await readFile(join(home, "worker.js.gz"))));
  return { script, migrations: join(home, "migrations"), objects: {} };
}

/** The present code, built into `folder`. */
export async function thisRelease(folder: string): Promise<Release> {
  const { bindings } = unstable_readConfig({ config: join(PROJECT, "wrangler.toml") }).durable_objects;
  const others = bindings.filter(({ name }) => name !== "BUFFER");
  return {
    script: await bundle("src/index.ts", join(folder, "this")),
    migrations: join(PROJECT, "migrations"),
    objects: Object.fromEntries(others.map(({ name, class_name: className }) => [name, className])),
  };
}

/** One state of buffer, queue and D1, over which releases follow each other. */
export class Stage {
  readonly folder: string;
  /** Messages that wait in the queue. */
  readonly waiting: string[] = [];
  readonly #migrated = new Set<string>();

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async set(): Promise<Stage> {
    return new Stage(await mkdtemp(join(tmpdir(), "metrics-collector-releases-")));
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Migrates D1 as the Worker's release wants it, runs both, and ends them after `act`. */
  async play<Result>(cast: Cast, act: (running: Running) => Promise<Result>): Promise<Result> {
    const { worker, object, isConsumed = true } = cast;
    const shared = {
      modules: true,
      compatibilityDate: COMPATIBILITY_DATE,
      d1Databases: { DB: "metrics-collector" },
      queueProducers: { QUEUE },
      bindings: VARS,
    };
    const buffer = { className: "MetricsBuffer", useSQLite: true, unsafeUniqueKey: "metrics-buffer" };
    const others = Object.fromEntries(
      Object.entries(worker.objects).map(([binding, className]) => [binding, { className, useSQLite: true }]),
    );
    const consumer = { [QUEUE]: { maxBatchSize: 10, maxBatchTimeout: 0.1, maxRetries: 8 } };
    const miniflare = new Miniflare(
      convertV4MiniflareOptions({
        resourcePersistencePath: join(this.folder, "state"),
        handleStructuredLogs: () => {},
        workers: [
          {
            ...shared,
            name: "worker",
            modulesRoot: dirname(worker.script),
            scriptPath: worker.script,
            durableObjects: { BUFFER: { ...buffer, scriptName: "object" }, ...others },
            ...(isConsumed ? { queueConsumers: consumer } : {}),
          },
          {
            ...shared,
            name: "object",
            modulesRoot: dirname(object.script),
            scriptPath: object.script,
            durableObjects: { BUFFER: buffer },
          },
          ...(isConsumed
            ? []
            : [
                {
                  name: "keeper",
                  modules: true,
                  script: KEEPER,
                  compatibilityDate: COMPATIBILITY_DATE,
                  queueConsumers: consumer,
                },
              ]),
        ],
      }),
    );
    try {
      await this.#migrate(miniflare, worker);
      const running = new Running(miniflare, isConsumed);
      const result = await act(running);
      if (!isConsumed) this.waiting.push(...(await running.keptMessages()));
      return result;
    } finally {
      await miniflare.dispose();
    }
  }

  async #migrate(miniflare: Miniflare, { migrations }: Release): Promise<void> {
    const db = await miniflare.getD1Database("DB", "worker");
    for (const { name, queries } of await readD1Migrations(migrations)) {
      if (this.#migrated.has(name)) continue;
      await db.batch(queries.map((query) => db.prepare(query)));
      this.#migrated.add(name);
    }
  }
}

export class Running {
  readonly #miniflare: Miniflare;
  readonly #isConsumed: boolean;

  constructor(miniflare: Miniflare, isConsumed: boolean) {
    this.#miniflare = miniflare;
    this.#isConsumed = isConsumed;
  }

  /** Posts one call of a function. The function's name is the key. */
  async post(name: string): Promise<void> {
    const { status, text } = await this.#ask("/samples", {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": name },
      body: JSON.stringify({ service: "shop", samples: [{ function: name, durationMs: 5 }] }),
    });
    if (status !== 202) throw new Error(`POST /samples: ${status} ${text}`);
  }

  /** The functions that `GET /metrics` lists. One that has not exactly one call stands with its number. */
  async calls(): Promise<string[]> {
    return namesOf((await this.get<{ functions: Calls[] }>("/metrics")).functions);
  }

  async get<Answer>(path: string): Promise<Answer> {
    const { text } = await this.#ask(path);
    return JSON.parse(text) as Answer;
  }

  /** Makes the buffer seal and send what it holds. Only this version can. */
  async flush(): Promise<void> {
    await this.#ask("/flush", { method: "POST", headers: {}, body: "" });
  }

  /** Delivers messages to the consumer, as the queue does late or again. */
  async deliver(messages: readonly string[]): Promise<void> {
    const queue = await this.#miniflare.getQueueProducer<string>("QUEUE", "worker");
    for (const message of messages) await queue.send(message, { contentType: "text" });
  }

  /** Waits until D1 has everything, and returns its calls as `calls` does. */
  async stored(): Promise<string[]> {
    await vi.waitFor(
      async () => {
        const { bufferedSamples, unconfirmedFlushes } = await this.get<Record<string, number>>("/health");
        if (bufferedSamples !== 0 || unconfirmedFlushes !== 0) {
          throw new Error(`${bufferedSamples} samples and ${unconfirmedFlushes} flushes wait.`);
        }
      },
      { timeout: WITHIN_MS, interval: 100 },
    );
    const db = await this.#miniflare.getD1Database("DB", "worker");
    return namesOf((await db.prepare("SELECT function, calls FROM metrics").all<Calls>()).results);
  }

  /** Waits until the queue has a message that nobody consumes. */
  async queued(): Promise<void> {
    await vi.waitFor(
      async () => {
        if ((await this.keptMessages()).length === 0) throw new Error("The queue has no message.");
      },
      { timeout: WITHIN_MS, interval: 50 },
    );
  }

  async keptMessages(): Promise<string[]> {
    if (this.#isConsumed) return [];
    const keeper = await this.#miniflare.getWorker("keeper");
    return (await (await keeper.fetch("http://keeper/")).json()) as string[];
  }

  async #ask(path: string, init?: { method: string; headers: Record<string, string>; body: string }) {
    const worker = await this.#miniflare.getWorker("worker");
    const response = await worker.fetch(`http://127.0.0.1${path}`, init);
    return { status: response.status, text: await response.text() };
  }
}

interface Calls {
  function: string;
  calls: number;
}

function namesOf(rows: readonly Calls[]): string[] {
  return rows.map(({ function: name, calls }) => (calls === 1 ? name : `${name} × ${calls}`)).sort();
}
