/** Bindings with the faults that a step names. Each wraps the real binding. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { dbWith, queueThat, replaceBufferEnv } from "../faults.ts";
import { buffer } from "../worker.ts";
import type { Step, TransactionFate } from "./step.ts";

type Confirmation = Extract<Step, { do: "deliver" }>["confirmation"];

/** D1 whose first transactions end as given. Further ones commit. */
export function dbWithFates(
  fates: readonly TransactionFate[],
  afterFirst: () => Promise<void> = async () => {},
): D1Database {
  let count = 0;
  return dbWith(async (real, statements) => {
    const fate = fates[count] ?? "commits";
    const isFirst = count++ === 0;
    try {
      if (typeof fate === "object") {
        const at = Math.min(fate.failsBeforeStatement, statements.length);
        const broken = env.DB.prepare("SELECT json('not JSON')");
        return await real([...statements.slice(0, at), broken, ...statements.slice(at)]);
      }
      const results = await real(statements);
      if (fate !== "commits") throw new Error("D1_ERROR: Network connection lost.");
      return results;
    } finally {
      if (isFirst) await afterFirst();
    }
  });
}

/** Buffers that do not get the consumer's message, or whose answer is lost. */
export function buffersWith(confirmation: Confirmation): Env["BUFFER"] {
  if (confirmation === "arrives") return env.BUFFER;
  const faulty =
    <Args extends unknown[]>(real: (...args: Args) => Promise<unknown>) =>
    async (...args: Args) => {
      if (confirmation !== "is lost") await real(...args);
      throw new Error("Network connection lost.");
    };
  return new Proxy(env.BUFFER, {
    get: () => (name: string) => {
      const stub = env.BUFFER.getByName(name);
      return {
        confirmed: () => stub.confirmed(),
        recall: (...args: Parameters<typeof stub.recall>) => stub.recall(...args),
        confirm: faulty((epoch: string, ns: number[]) => stub.confirm(epoch, ns)),
        confirmApplied: faulty((epoch: string, n: number) => stub.confirmApplied(epoch, n)),
        confirmDropped: faulty((epoch: string, n: number) => stub.confirmDropped(epoch, n)),
        markDead: faulty((epoch: string, n: number, reason: string) => stub.markDead(epoch, n, reason)),
      };
    },
  });
}

/**
 * Replaces the queue that the buffer sends to by one that hands each message to `taken`, until the buffer is evicted. As on
 * the platform, a message leaves only after the writes before it are durable.
 */
export async function replaceQueue(
  taken: (message: string) => void,
  fate: Extract<Step, { do: "ring" }>["queue"],
): Promise<void> {
  let sends = 0;
  const QUEUE = queueThat(async (bodies) => {
    await runInDurableObject(buffer(), (_, state) => state.storage.sync());
    if (fate === "refuses" || (fate !== "takes" && sends++ > 0)) throw new Error("Queue is overloaded.");
    for (const body of bodies) taken(body);
  });
  await replaceBufferEnv({ QUEUE });
}

/** Bindings for a reader, with a pause before each request. */
export function pausingBindings(pause: () => Promise<void>): Pick<Env, "BUFFER" | "DB"> {
  const BUFFER = new Proxy(env.BUFFER, {
    get: () => (name: string) => {
      const stub = env.BUFFER.getByName(name);
      return {
        snapshot: async (...args: Parameters<typeof stub.snapshot>) => {
          await pause();
          return stub.snapshot(...args);
        },
      };
    },
  });
  const DB = dbWith(async (real, statements) => {
    await pause();
    return real(statements);
  });
  return { BUFFER, DB };
}

/**
 * Bindings for deleting series. Applying the deletion and confirming it end as given, with a pause before each and after.
 * `deleted` is called when the buffer has the deletion.
 */
export function deletionBindings(
  { ledger, confirmation }: Extract<Step, { do: "delete" }>,
  deleted: () => void,
  pause: (nth: number) => Promise<void>,
): Pick<Env, "BUFFER" | "DB" | "SINKS"> {
  let isDeleted = false;
  const BUFFER = new Proxy(env.BUFFER, {
    get: () => (name: string) => {
      const stub = () => env.BUFFER.getByName(name);
      return {
        snapshot: (...args: Parameters<ReturnType<typeof stub>["snapshot"]>) => stub().snapshot(...args),
        deleteSeries: async (...args: Parameters<ReturnType<typeof stub>["deleteSeries"]>) => {
          const flush = await stub().deleteSeries(...args);
          isDeleted = true;
          deleted();
          return flush;
        },
        confirm: async (epoch: string, ns: number[]) => {
          await pause(1);
          if (confirmation !== "is lost") await stub().confirm(epoch, ns);
          if (confirmation !== "arrives") throw new Error("Network connection lost.");
          await pause(2);
        },
      };
    },
  });
  const DB = dbWith(async (real, statements) => {
    if (!isDeleted) return real(statements);
    await pause(0);
    if (ledger === "fails") throw new Error("D1_ERROR: Network connection lost.");
    const results = await real(statements);
    if (ledger !== "commits") throw new Error("D1_ERROR: Network connection lost.");
    return results;
  });
  return { BUFFER, DB, SINKS: env.SINKS };
}

/** Bindings for dropping a dead letter. Ledger entry and confirmation end as given, with a pause before each and after. */
export function dropBindings(
  { ledger, confirmation }: Extract<Step, { do: "drop letter" }>,
  pause: (nth: number) => Promise<void>,
): Pick<Env, "BUFFER" | "DB"> {
  const toldWith = async (tell: () => Promise<unknown>) => {
    await pause(1);
    const answer = confirmation === "is lost" ? undefined : await tell();
    if (confirmation !== "arrives") throw new Error("Network connection lost.");
    await pause(2);
    return answer;
  };
  const BUFFER = new Proxy(env.BUFFER, {
    get: () => (name: string) => {
      // A stub stops working when its object is killed.
      const stub = () => env.BUFFER.getByName(name);
      return {
        deadDeltas: (epoch: string, n: number) => stub().deadDeltas(epoch, n),
        droppedDeltas: (epoch: string, n: number) => stub().droppedDeltas(epoch, n),
        confirmApplied: (epoch: string, n: number) => toldWith(() => stub().confirmApplied(epoch, n)),
        confirmDropped: (epoch: string, n: number) => toldWith(() => stub().confirmDropped(epoch, n)),
      };
    },
  });
  const DB = dbWith(async (real, statements) => {
    await pause(0);
    if (ledger === "fails") throw new Error("D1_ERROR: Network connection lost.");
    const results = await real(statements);
    if (ledger !== "commits") throw new Error("D1_ERROR: Network connection lost.");
    return results;
  });
  return { BUFFER, DB };
}
