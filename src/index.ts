/**
 * The Worker's entry point: HTTP requests, queue deliveries, the hourly retention job and the classes of
 * Durable Objects. Wiring only.
 */
import { app } from "./app.ts";
import { consumeDeadLetters } from "./consumer/consume-dead-letters.ts";
import { consumeFlushes } from "./consumer/consume-flushes.ts";
import { retain } from "./retention/retain.ts";

export { Alerts } from "./alerts/alerts.ts";
export { MetricsBuffer } from "./buffer/metrics-buffer.ts";
export { SinkSender } from "./sinks/sink-sender.ts";

export default {
  fetch: app.fetch,
  queue: (batch, env) =>
    batch.queue.endsWith("-dead-letters") ? consumeDeadLetters(batch, env) : consumeFlushes(batch, env),
  scheduled: async (_, env) => {
    await retain(env);
  },
} satisfies ExportedHandler<Env>;
