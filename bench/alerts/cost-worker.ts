/** The Worker as it is, whose alerts can be rung minute by minute, and are counted. */
import worker from "../../src/index.ts";
import { Alerts as RealAlerts } from "../../src/alerts/alerts.ts";

export { MetricsBuffer } from "../../src/buffer/metrics-buffer.ts";

export interface AlertCounts {
  objectRequests: number;
  objectRowsWritten: number;
  objectRowsRead: number;
  databaseRowsRead: number;
}

const counts: AlertCounts = {
  objectRequests: 0,
  objectRowsWritten: 0,
  objectRowsRead: 0,
  databaseRowsRead: 0,
};
const patched = new WeakSet<object>();

export class Alerts extends RealAlerts {
  constructor(ctx: DurableObjectState, env: Env) {
    countRows(ctx.storage);
    super(ctx, env);
    // The object's own properties of `env` cannot be replaced, so the whole is.
    Reflect.set(this, "env", { ...env, DB: countedDatabase(env.DB), BUFFER: countedBuffers(env.BUFFER) });
  }

  /** Rings once for each minute, with the clock put forward. Gives what that used. */
  async pass(minutes: number): Promise<AlertCounts> {
    for (const field of Object.keys(counts) as (keyof AlertCounts)[]) counts[field] = 0;
    const real = Date.now;
    let ahead = clockAhead;
    Date.now = () => real() + ahead;
    try {
      for (let i = 0; i < minutes; i++) {
        ahead = clockAhead += 60_000;
        counts.objectRequests++;
        // The object is evicted between two alarms, so memory is read from storage again.
        await new Alerts(this.ctx, this.env).alarm();
      }
    } finally {
      Date.now = real;
    }
    return counts;
  }
}

let clockAhead = 0;

export default {
  ...worker,
  async fetch(request, env, ctx) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== "/pass") return worker.fetch(request, env, ctx);
    const alerts = env.ALERTS.getByName("singleton") as unknown as Alerts;
    return Response.json(await alerts.pass(Number(searchParams.get("minutes"))));
  },
} satisfies ExportedHandler<Env>;

function countedDatabase(db: D1Database): D1Database {
  return new Proxy(db, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (property !== "batch") return typeof value === "function" ? (value.bind(target) as unknown) : value;
      return async (statements: D1PreparedStatement[]) => {
        const results = await target.batch(statements);
        for (const { meta } of results) counts.databaseRowsRead += meta.rows_read;
        return results;
      };
    },
  });
}

function countedBuffers(buffers: Env["BUFFER"]): Env["BUFFER"] {
  return new Proxy(buffers, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (property === "getByName") counts.objectRequests++;
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Patches the prototypes, since the object keeps references to its storage. */
function countRows(storage: DurableObjectStorage): void {
  const ofSql = Object.getPrototypeOf(storage.sql) as SqlStorage;
  const ofStorage = Object.getPrototypeOf(storage) as DurableObjectStorage;
  if (patched.has(ofSql)) return;
  patched.add(ofSql);
  // oxlint-disable-next-line typescript/unbound-method -- `apply` below passes `this`
  const { exec } = ofSql;
  ofSql.exec = function (this: SqlStorage, ...args: Parameters<typeof exec>) {
    const cursor = exec.apply(this, args);
    const rows = cursor.toArray();
    counts.objectRowsWritten += cursor.rowsWritten;
    counts.objectRowsRead += cursor.rowsRead;
    const again = {
      toArray: () => rows,
      one: () => rows[0],
      rowsWritten: cursor.rowsWritten,
      rowsRead: cursor.rowsRead,
      [Symbol.iterator]: () => rows[Symbol.iterator](),
    };
    return again as unknown as SqlStorageCursor<Record<string, SqlStorageValue>>;
  } as typeof exec;
  // oxlint-disable-next-line typescript/unbound-method -- `apply` below passes `this`
  const { setAlarm } = ofStorage;
  ofStorage.setAlarm = function (this: DurableObjectStorage, ...args: Parameters<typeof setAlarm>) {
    counts.objectRowsWritten++;
    return setAlarm.apply(this, args);
  };
}
