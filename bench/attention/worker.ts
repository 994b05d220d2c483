/**
 * The Worker as it is, whose answers also tell how many rows D1 read and in how many transactions. `/forget` makes it forget
 * what it remembers for `GET /attention`, as a new isolate does not have it.
 */
import worker from "../../src/index.ts";
import { forgetAttention } from "../../src/read/attention.ts";
import { watchedDb } from "../watched-db.ts";

export { Alerts } from "../../src/alerts/alerts.ts";
export { MetricsBuffer } from "../../src/buffer/metrics-buffer.ts";

export default {
  ...worker,
  async fetch(request, env, ctx) {
    if (new URL(request.url).pathname === "/forget") {
      forgetAttention();
      return new Response();
    }
    let [rows, reads] = [0, 0];
    const db = watchedDb(env.DB, (results) => {
      reads++;
      for (const { meta } of results) rows += meta.rows_read;
    });
    const response = await worker.fetch(request, { ...env, DB: db }, ctx);
    const counted = new Response(response.body, response);
    counted.headers.set("Rows-Read", String(rows));
    counted.headers.set("Reads", String(reads));
    return counted;
  },
} satisfies ExportedHandler<Env>;
