/** Sends batches one at a time, and waits between attempts that fail. */
import { judge } from "./answer.ts";
import type { Batch } from "./batch.ts";
import { now, sleep } from "./clock.ts";
import { MAX_BACKOFF, MAX_BATCH_LENGTH, MAX_LEAVING_LENGTH, SEALING_MS, SLOW_RETRY } from "./limits.ts";
import type { Outbox } from "./outbox.ts";
import { isPage } from "./platform.ts";
import type { Reporter } from "./reporter.ts";
import type { Settings } from "./settings.ts";
import type { Timeline } from "./timeline.ts";
import type { Transport } from "./transport.ts";

export type Sender = ReturnType<typeof createSender>;

/** `store` is called before a new batch is sent. */
export function createSender(
  settings: Settings,
  timeline: Timeline,
  outbox: Outbox,
  transport: Transport,
  reporter: Reporter,
  store: () => void,
) {
  /** Until when each batch may be waiting for an answer. On Workers, an attempt can die with its invocation. */
  const inFlight = new Map<Batch, number>();
  let busyUntilMs = -Infinity;
  let readyMs = -Infinity;
  let failures = 0;

  /** The whole backoff is random, so that many clients do not come back at the same moment. */
  const retry = (kind: unknown, message: string, leastMs = 0): void => {
    reporter.reportError(kind, `${settings.endpoint}: ${message}`);
    const backoffMs = settings.retryMs * Math.min(MAX_BACKOFF, 2 ** failures++) * Math.random();
    readyMs = now() + Math.max(leastMs, backoffMs);
  };

  /** Returns whether there was an answer. Never rejects. */
  const deliver = async (batch: Batch, isLeaving: boolean): Promise<boolean> => {
    inFlight.set(batch, now() + 2 * settings.timeoutMs);
    try {
      const answer = await transport.send(batch, isLeaving);
      const verdict = judge(answer, batch.sums.length);
      if (verdict.kind === "retry") {
        batch.isHandedOver = false;
        const leastMs = verdict.isSlow ? settings.retryMs * SLOW_RETRY : verdict.leastMs;
        retry(answer.status, verdict.message, leastMs);
        return true;
      }
      failures = 0;
      if (verdict.kind === "accepted") {
        outbox.acknowledge(batch, verdict.rejections);
      } else {
        reporter.reportError(answer.status, verdict.message);
        outbox.refuse(batch, verdict.message);
      }
      return true;
    } catch (error) {
      retry("no answer", explain(error));
      return false;
    } finally {
      inFlight.delete(batch);
    }
  };

  const nextBatch = async (): Promise<Batch | undefined> => {
    const waiting = [...outbox.batches].find((batch) => !(now() < inFlight.get(batch)!));
    if (waiting || outbox.batches.size) return waiting;
    await sender.seal();
    const made = outbox.makeBatch(MAX_BATCH_LENGTH);
    if (made) store();
    return made;
  };

  const handOver = async (batch: Batch): Promise<void> => {
    const canKeepAlive = "keepalive" in Request.prototype;
    if (canKeepAlive && (await deliver(batch, true))) return;
    if (outbox.batches.has(batch)) transport.sendBeacon(batch);
  };

  const sender = {
    isBusy: () => now() < busyUntilMs,
    abort: transport.abortAll,

    /** Milliseconds until the backoff ends. */
    pauseMs: () => Math.max(0, readyMs - now()) || 0,

    skipBackoff(): void {
      readyMs = -Infinity;
    },

    /** Seals the open sums. It lets the event loop turn now and then, so that no call has to wait for all of them. */
    async seal(): Promise<void> {
      timeline.countUnstarted();
      let turnMs = now();
      // A copy: calls that come in meanwhile open sums again.
      const open = [...timeline.open];
      for (const sum of open) {
        sum.seal();
        if (now() - turnMs < SEALING_MS) continue;
        await sleep(0);
        turnMs = now();
      }
    },

    /** Sends the oldest batch, or a new one. Does nothing while another attempt runs or a backoff lasts. Never rejects. */
    async attempt(): Promise<void> {
      if (sender.isBusy() || sender.pauseMs()) return;
      const untilMs = (busyUntilMs = now() + 2 * settings.timeoutMs);
      try {
        const batch = await nextBatch();
        if (batch) await deliver(batch, false);
      } catch (error) {
        retry("token", `the batch cannot be made: ${String(error)}`);
      }
      // A later attempt may have taken over.
      if (busyUntilMs === untilMs) busyUntilMs = -Infinity;
    },

    /**
     * Sends everything at once, before it returns: the page may be gone at any moment.
     *
     * @throws if the token cannot be read
     */
    leave: (): void => {
      timeline.countUnstarted();
      for (const sum of timeline.open) sum.seal();
      // The browser may refuse the last ones, so the functions with the most calls go first.
      while (outbox.makeBatch(MAX_LEAVING_LENGTH, (a, b) => b.calls - a.calls));
      for (const batch of outbox.batches) if (!batch.isHandedOver) void handOver(batch);
    },
  };
  return sender;
}

interface Described {
  code?: unknown;
  message?: unknown;
  cause?: unknown;
  errors?: unknown[];
}

/** `fetch` hides what happened in causes, and several addresses of a host in a list. Never throws. */
function explain(thrown: unknown): string {
  const error = Object(thrown) as Described;
  const cause = Object(error.cause ?? error) as Described;
  const { code, message } = Object(cause.errors?.[0] ?? cause) as Described;
  const what = [code, error.message, message].filter((text) => text && typeof text === "string");
  const advice = isPage()
    ? "Is the page offline, or do CORS_ORIGINS, a content security policy or an ad blocker stop it? The console says which."
    : "Check the option url and the network, and that the Worker runs.";
  return `no answer (${[...new Set(what)].join(": ")}). ${advice}`;
}
