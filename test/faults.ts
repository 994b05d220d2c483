/** Faults around real bindings: each lets the real one work, but at the moment that a test names. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { MetricsBuffer } from "../src/buffer/metrics-buffer.ts";
import { buffer } from "./worker.ts";

/** The Worker's environment, with some bindings replaced. */
export function envWith(replaced: Partial<Env>): Env {
  return Object.assign(Object.create(null), env, replaced) as Env;
}

type Batch = D1Database["batch"];

/** D1, with another `batch`. */
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

/** D1, where every transaction fails before its statement `at`, as a constraint or a full disk would make it. */
export function dbFailingAt(at: number): D1Database {
  return dbWith((real, statements) =>
    real([...statements.slice(0, at), env.DB.prepare("SELECT json('not JSON')"), ...statements.slice(at)]),
  );
}

/** D1, where every transaction commits, and then its answer is lost. */
export function dbLosingAnswers(): D1Database {
  return dbWith(async (real, statements) => {
    await real(statements);
    throw new Error("D1_ERROR: Network connection lost.");
  });
}

/** D1, when it does not answer at all. */
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

/** Buffers that do some of what they are asked otherwise. */
export function buffersThat(otherwise: Partial<Record<keyof MetricsBuffer, () => unknown>>): Env["BUFFER"] {
  return new Proxy(env.BUFFER, {
    get: () => (name: string) =>
      new Proxy(env.BUFFER.getByName(name), {
        get: (stub, property) => Reflect.get(property in otherwise ? otherwise : stub, property) as unknown,
      }),
  });
}

/** Buffers that have more to do than they can. */
export function overloadedBuffers(): Env["BUFFER"] {
  const error = new Error("Durable Object is overloaded. Too many requests queued.");
  return unreachableBuffers(Object.assign(error, { overloaded: true, remote: true }));
}

/**
 * Replaces the queue that the buffer sends to, until it is evicted, by one that keeps what it was sent; `fault` may
 * throw instead.
 */
export async function watchQueue(fault: () => void = () => {}): Promise<string[]> {
  const sent: string[] = [];
  await runInDurableObject(buffer(), (instance) => {
    const sendBatch = async (messages: Iterable<MessageSendRequest<string>>) => {
      fault();
      for (const { body } of messages) sent.push(body);
    };
    Reflect.set(instance, "env", envWith({ QUEUE: { sendBatch } as unknown as Queue }));
  });
  return sent;
}
