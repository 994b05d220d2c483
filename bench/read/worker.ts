/**
 * The Worker that the read benchmark serves. It is the real Worker with a header that says how many rows D1 read. With
 * `?sql=` it runs a bare SELECT for comparison and answers only the number of rows.
 */
import worker from "../../src/index.ts";

export { Alerts } from "../../src/alerts/alerts.ts";
export { MetricsBuffer } from "../../src/buffer/metrics-buffer.ts";

interface Read {
  rows: number;
}

export default {
  async fetch(request, env, ctx) {
    const read: Read = { rows: 0 };
    const db = counting(env.DB, read);
    const bare = new URL(request.url).searchParams.get("sql");
    const response =
      bare === null ? await worker.fetch(request, { ...env, DB: db }, ctx) : await answerBare(db, bare);
    const counted = new Response(response.body, response);
    counted.headers.set("Rows-Read", String(read.rows));
    return counted;
  },
} satisfies ExportedHandler<Env>;

async function answerBare(db: D1Database, sql: string): Promise<Response> {
  const [answer] = await db.batch([db.prepare(sql)]);
  return Response.json(answer!.results.length);
}

function counting(db: D1Database, read: Read): D1Database {
  return new Proxy(db, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (property === "batch") {
        return async (statements: D1PreparedStatement[]) => {
          const results = await target.batch(statements);
          for (const { meta } of results) read.rows += meta.rows_read;
          return results;
        };
      }
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}
