/** Wraps real bindings and storage so that they fail when a test wants it. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { byteLength } from "../src/byte-length.ts";
import type { MetricsBuffer } from "../src/buffer/metrics-buffer.ts";
import { buffer } from "./worker.ts";

/** The Worker's environment with some bindings replaced. */
export function envWith(replaced: Partial<Env>): Env {
  return Object.assign(Object.create(null), env, replaced) as Env;
}

type Batch = D1Database["batch"];

/** D1 with a replaced `batch`. */
export function dbWith(
  batch: (real: Batch, statements: D1PreparedStatement[]) => Promise<D1Result[]>,
): D1Database {
  return new Proxy(env.DB, {
    get(target, property) {
      if (property === "batch") {
        return (statements: D1PreparedStatement[]) => batch(target.batch.bind(target), statements);
      }
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

/** D1 whose transactions fail before their statement number `at`, as with a violated constraint or a full disk. */
export function dbFailingAt(at: number): D1Database {
  return dbWith((real, statements) =>
    real([...statements.slice(0, at), env.DB.prepare("SELECT json('not JSON')"), ...statements.slice(at)]),
  );
}

/** D1 whose transactions commit, but whose answers are lost. */
export function dbLosingAnswers(): D1Database {
  return dbWith(async (real, statements) => {
    await real(statements);
    throw new Error("D1_ERROR: Network connection lost.");
  });
}

/** D1 that throws at every statement. */
export function dbAway(): D1Database {
  const away = () => {
    throw new Error("D1_ERROR: D1 DB is overloaded. Requests queued for too long.");
  };
  const statement = { bind: () => statement, first: away, run: away, all: away, raw: away };
  return { prepare: () => statement, batch: away, exec: away } as unknown as D1Database;
}

/** Buffers that cannot be reached. */
export function unreachableBuffers(error = new Error("Durable Object is unreachable.")): Env["BUFFER"] {
  return new Proxy(env.BUFFER, {
    get: () => () => {
      throw error;
    },
  });
}

/** Buffers with some methods replaced. */
export function buffersThat(otherwise: Partial<Record<keyof MetricsBuffer, () => unknown>>): Env["BUFFER"] {
  return new Proxy(env.BUFFER, {
    get: () => (name: string) =>
      new Proxy(env.BUFFER.getByName(name), {
        get: (stub, property) => Reflect.get(property in otherwise ? otherwise : stub, property) as unknown,
      }),
  });
}

/** Buffers that the platform reports as overloaded. */
export function overloadedBuffers(): Env["BUFFER"] {
  const error = new Error("Durable Object is overloaded. Too many requests queued.");
  return unreachableBuffers(Object.assign(error, { overloaded: true, remote: true }));
}

/**
 * Replaces the buffer's queue, until the buffer is evicted, by one that collects the message bodies in the returned
 * array. Like the platform, it rejects a send that is too large. `fault` may throw to make a send fail.
 */
export async function watchQueue(fault: () => void = () => {}): Promise<string[]> {
  const sent: string[] = [];
  await replaceBufferEnv({
    QUEUE: queueThat(async (bodies) => {
      fault();
      sent.push(...bodies);
    }),
  });
  return sent;
}

/** A queue that passes the bodies of each `sendBatch` to `take` and limits their size as the platform does. */
export function queueThat(take: (bodies: string[]) => Promise<void>): Queue {
  const sendBatch = async (messages: Iterable<MessageSendRequest<string>>) => {
    const bodies = Array.from(messages, ({ body }) => body);
    const sizes = bodies.map((body) => byteLength(body) + QUEUE_METADATA_BYTES);
    if (sizes.some((size) => size > QUEUE_MESSAGE_BYTES)) throw new Error("A message is above 128 KB.");
    if (sizes.reduce((sum, size) => sum + size, 0) > QUEUE_SEND_BYTES) {
      throw new Error("A send is above 256 KB.");
    }
    if (bodies.length > QUEUE_SEND_MESSAGES) throw new Error("A send has more than 100 messages.");
    await take(bodies);
  };
  return { sendBatch } as unknown as Queue;
}

const QUEUE_MESSAGE_BYTES = 128_000;
const QUEUE_METADATA_BYTES = 100;
const QUEUE_SEND_BYTES = 256_000;
const QUEUE_SEND_MESSAGES = 100;

/** Replaces bindings and settings of the buffer until it is evicted. */
export async function replaceBufferEnv(replaced: Partial<Env>): Promise<void> {
  await runInDurableObject(buffer(), (instance) => {
    Reflect.set(instance, "env", envWith(replaced));
  });
}

/**
 * Makes the buffer's statements that contain `text` fail until the returned function is called. Storage is real, so
 * earlier writes of the transaction are rolled back.
 */
export async function failStatements(text: string): Promise<() => void> {
  const sql = await runInDurableObject(
    buffer(),
    (_, { storage }) => Object.getPrototypeOf(storage.sql) as SqlStorage,
  );
  const { exec } = sql;
  sql.exec = function (this: SqlStorage, ...args: Parameters<typeof exec>) {
    if (args[0].includes(text)) throw new Error("SQLITE_FULL: database or disk is full");
    return exec.apply(this, args);
  } as typeof exec;
  return () => void (sql.exec = exec);
}

/** Makes the buffer's transactions fail at their end until the returned function is called. */
export async function failCommits(): Promise<() => void> {
  const storage = await runInDurableObject(
    buffer(),
    (_, state) => Object.getPrototypeOf(state.storage) as DurableObjectStorage,
  );
  const { transactionSync } = storage;
  storage.transactionSync = function <T>(this: DurableObjectStorage, write: () => T): T {
    return transactionSync.call(this, () => {
      write();
      throw new Error("SQLITE_FULL: database or disk is full");
    }) as T;
  };
  return () => void (storage.transactionSync = transactionSync);
}
