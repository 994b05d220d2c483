/** Sends batches one at a time, and waits between attempts that fail. */
import { judge } from "./answer.ts";
import type { Batch } from "./batch.ts";
import { now, sleep } from "./clock.ts";
import { describeFailure } from "./failure.ts";
import { MAX_BACKOFF, MAX_BATCH_LENGTH, SEALING_MS, SLOW_RETRY } from "./limits.ts";
import type { Outbox } from "./outbox.ts";
import type { Reporter } from "./reporter.ts";
import type { Settings } from "./settings.ts";
import type { Timeline } from "./timeline.ts";
import type { Transport } from "./transport.ts";

export type Sender = ReturnType<typeof createSender>;

/** `advice` says what to check if there is no answer. `store` is called before a new batch is sent. */
export function createSender(
  settings: Settings,
  timeline: Timeline,
  outbox: Outbox,
  transport: Transport,
  reporter: Reporter,
  advice: string,
  store: () => void,
) {
  let busyUntilMs = -Infinity;
  let readyMs = -Infinity;
  let failures = 0;

  /** The whole backoff is random, so that many clients do not come back at the same moment. */
  const retry = (kind: unknown, message: string, leastMs = 0): void => {
    reporter.reportError(kind, `${settings.endpoint}: ${message}`);
    const backoffMs = settings.retryMs * Math.min(MAX_BACKOFF, 2 ** failures++) * Math.random();
    readyMs = now() + Math.max(leastMs, backoffMs);
  };

  const deliver = async (batch: Batch, isLeaving: boolean): Promise<boolean> => {
    batch.inFlightUntilMs = now() + 2 * settings.timeoutMs;
    try {
      const answer = await transport.send(batch, isLeaving);
      const verdict = judge(answer, batch.sums.length);
      if (verdict.kind === "retry") {
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
      retry("no answer", `no answer (${describe(error)}). ${advice}`);
      return false;
    } finally {
      batch.inFlightUntilMs = 0;
      batch.isHandedOver = false;
    }
  };

  const nextBatch = async (): Promise<Batch | undefined> => {
    const waiting = [...outbox.batches].find((batch) => !(now() < batch.inFlightUntilMs));
    if (waiting || outbox.batches.size) return waiting;
    await sender.seal();
    const made = outbox.makeBatch(MAX_BATCH_LENGTH);
    if (made) store();
    return made;
  };

  const sender = {
    isBusy: () => now() < busyUntilMs,
    abort: transport.abortAll,

    /** Makes one attempt. Resolves to whether there was an answer, and never rejects. */
    deliver,

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
        retry("token", `no batch (${describe(error)}).`);
      }
      // A later attempt may have taken over.
      if (busyUntilMs === untilMs) busyUntilMs = -Infinity;
    },

    sealAtOnce(): void {
      timeline.countUnstarted();
      for (const sum of timeline.open) sum.seal();
    },
  };
  return sender;
}

/** `fetch` hides what happened in a cause, and several addresses of a host in a list. Never throws. */
function describe(thrown: unknown): string {
  const { cause = thrown } = Object(thrown) as { cause?: unknown };
  const { errors } = Object(cause) as { errors?: unknown[] };
  const { name, message } = describeFailure(errors?.[0] ?? cause);
  return `${name}: ${message}`;
}
