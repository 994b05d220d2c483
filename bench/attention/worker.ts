/**
 * The Worker as it is, whose answers also tell how many rows D1 read and in how many transactions. `/forget` makes it forget
 * what it remembers for `GET /attention`, as a new isolate does not have it.
 */
import worker from "../../src/index.ts";
import { forgetAttention } from "../../src/read/attention.ts";

export { MetricsBuffer } from "../../src/buffer/metrics-buffer.ts";

export default {
  ...worker,
  async fetch(request, env, ctx) {
    if (new URL(request.url).pathname === "/forget") {
      forgetAttention();
      return new Response();
    }
    let [rows, reads] = [0, 0];
    const db = new Proxy(env.DB, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property, target);
        if (property !== "batch")
          return typeof value === "function" ? (value.bind(target) as unknown) : value;
        return async (statements: D1PreparedStatement[]) => {
          const results = await target.batch(statements);
          reads++;
          for (const { meta } of results) rows += meta.rows_read;
          return results;
        };
      },
    });
    const response = await worker.fetch(request, { ...env, DB: db }, ctx);
    const counted = new Response(response.body, response);
    counted.headers.set("Rows-Read", String(rows));
    counted.headers.set("Reads", String(reads));
    return counted;
  },
} satisfies ExportedHandler<Env>;
