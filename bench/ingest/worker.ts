/**
 * The Worker that the ingest benchmark serves. It is the real Worker with counters for everything that is billed. Under
 * `/bare` it only parses and answers. Under `/stored` it also stores as many bytes as the real one: the lowest possible
 * cost of a durable acknowledgement on this platform.
 */
import { DurableObject } from "cloudflare:workers";
import worker from "../../src/index.ts";
import { MetricsBuffer as RealBuffer } from "../../src/buffer/metrics-buffer.ts";
import { watchedDb } from "../watched-db.ts";

export { Alerts } from "../../src/alerts/alerts.ts";

export interface Counts {
  requests: number;
  objectRequests: number;
  objectRows: number;
  databaseRows: number;
  queueOperations: number;
}

const counts: Counts = { requests: 0, objectRequests: 0, objectRows: 0, databaseRows: 0, queueOperations: 0 };
const counted = new WeakSet<object>();

export class MetricsBuffer extends RealBuffer {
  constructor(ctx: DurableObjectState, env: BenchEnv) {
    if (env.COUNTED === "true") countRows(ctx.storage);
    super(ctx, env);
    if (env.COUNTED !== "true") return;
    const real = env.QUEUE;
    const sendBatch: Queue["sendBatch"] = (messages) => {
      const all = [...messages];
      // A message is written, read and deleted. Each is one operation per 64 KB.
      for (const { body } of all) counts.queueOperations += 3 * Math.ceil((body as string).length / 64_000);
      return real.sendBatch(all);
    };
    Reflect.set(this, "env", { ...env, QUEUE: { sendBatch } });
  }

  override recordGroup(...args: Parameters<RealBuffer["recordGroup"]>) {
    counts.objectRequests++;
    return super.recordGroup(...args);
  }

  override recordPoints(...args: Parameters<RealBuffer["recordPoints"]>) {
    counts.objectRequests++;
    return super.recordPoints(...args);
  }

  override confirm(...args: Parameters<RealBuffer["confirm"]>) {
    counts.objectRequests++;
    return super.confirm(...args);
  }

  override alarm() {
    counts.objectRequests++;
    return super.alarm();
  }
}

/** Stores one row per batch, without keys, sums or flushes. */
export class BareStore extends DurableObject {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS batches (id INTEGER PRIMARY KEY, deltas TEXT NOT NULL)");
  }

  store(deltas: string): void {
    this.ctx.storage.sql.exec("INSERT INTO batches (deltas) VALUES (?)", deltas);
  }
}

/** As many bytes as the buffer stores for a POST of 1,000 single calls. */
const STORED = "x".repeat(9_400);

interface BenchEnv extends Env {
  STORE: DurableObjectNamespace<BareStore>;
  /** "true" to count what is billed. Rates are measured without, since counting slows the Worker down. */
  COUNTED: string;
}

export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    if (pathname === "/bare" || pathname === "/stored") {
      const { samples = [] } = await request.json<{ samples?: unknown[] }>();
      if (pathname === "/stored") await env.STORE.getByName("singleton").store(STORED);
      return Response.json({ accepted: samples.length }, { status: 202 });
    }
    if (pathname === "/counts") return Response.json(counts);
    counts.requests++;
    return worker.fetch(request, env, ctx);
  },
  queue(batch, env) {
    counts.requests++;
    if (env.COUNTED !== "true") return worker.queue(batch, env);
    const db = watchedDb(env.DB, (results) => {
      for (const { meta } of results) counts.databaseRows += meta.rows_written;
    });
    return worker.queue(batch, { ...env, DB: db });
  },
} satisfies ExportedHandler<BenchEnv>;

/** Patches the prototypes, since the buffer keeps a reference to its own storage. */
function countRows(storage: DurableObjectStorage): void {
  const ofSql = Object.getPrototypeOf(storage.sql) as SqlStorage;
  const ofStorage = Object.getPrototypeOf(storage) as DurableObjectStorage;
  if (counted.has(ofSql)) return;
  counted.add(ofSql);
  // oxlint-disable-next-line typescript/unbound-method -- `apply` below passes `this`
  const { exec } = ofSql;
  ofSql.exec = function (this: SqlStorage, ...args: Parameters<typeof exec>) {
    const cursor = exec.apply(this, args);
    counts.objectRows += cursor.rowsWritten;
    return cursor;
  } as typeof exec;
  // oxlint-disable-next-line typescript/unbound-method -- `apply` below passes `this`
  const { setAlarm } = ofStorage;
  ofStorage.setAlarm = function (this: DurableObjectStorage, ...args: Parameters<typeof setAlarm>) {
    counts.objectRows++;
    return setAlarm.apply(this, args);
  };
}
