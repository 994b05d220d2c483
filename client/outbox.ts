/** What is sealed and has no definite answer yet: sums, oldest first, and the batch that the first of them make. */
import {
  MAX_AGE_MS,
  MAX_BACKOFF,
  MAX_BATCH_LENGTH,
  MAX_PAGE_BATCH_LENGTH,
  MAX_RETRY_AFTER_MS,
  SLOW,
} from "./limits.ts";
import { page } from "./runtime.ts";
import type { State } from "./state.ts";
import type { SealedSum } from "./recorder.ts";
import type { Tell } from "./report.ts";
import type { CollectorOptions, DropReason, Stats } from "./options.ts";
import { post } from "./post.ts";

export interface Batch {
  /** WARNING: what was once sent under a key must never be sent under another, nor anything else under this one. */
  readonly key: string;
  readonly json: string;
  readonly sums: readonly SealedSum[];
  /** The JSON compressed, made once. */
  gzip?: ArrayBuffer;
}

interface Answer {
  rejected: number;
  /** Of the first hundred of these. */
  reasons: { index: number; reason: string }[];
}

/** Gives what says how many calls were seen, and what became of them. */
export function createOutbox(options: CollectorOptions, state: State, tell: Tell): () => Stats {
  const { service, maxMemory = 30_000_000, retryMs = 1_000, onError, onDrop } = options;
  const url = String(options.url).replace(/\/*$/, "/samples");
  const sums = (state.sums = new Set<SealedSum>());
  const dropped: Record<DropReason, number> = { rejected: 0, tooOld: 0, overMemory: 0 };
  let settledCalls = 0;
  let acknowledged = 0;
  let failures = 0;

  /** Counts what is still here of these sums as acknowledged, or as dropped for a reason. */
  const settle = (settled: readonly SealedSum[], reason?: DropReason, message: string = reason!): void => {
    let calls = 0;
    for (const sum of settled) {
      if (sums.delete(sum)) calls += sum.calls;
    }
    settledCalls += calls;
    if (!reason) {
      acknowledged += calls;
    } else if (calls) {
      dropped[reason] += calls;
      void tell(reason, `${calls} calls ${reason}: ${message}`, onDrop, { reason, calls, message });
    }
  };

  /** Makes a batch of what waits. */
  const cut = (): Batch | undefined => {
    state.seal();
    settle(
      [...sums].filter(({ at }) => at! < Date.now() - MAX_AGE_MS),
      "tooOld",
    );
    let room = page() ? MAX_PAGE_BATCH_LENGTH : MAX_BATCH_LENGTH;
    const first = [...sums].filter(({ json }, place) => (room -= json.length) > 0 || !place);
    if (!first[0]) return undefined;
    // `randomUUID` is not to be had on insecure pages.
    const key = `${Date.now()}-${Math.random()}`;
    // A beacon has no headers, so a page's batches say in their body whose they are.
    const tail = JSON.stringify({ ...(page() && { idempotencyKey: key, token: options.token }), service });
    return {
      key,
      // oxlint-disable-next-line typescript/restrict-template-expressions -- with commas, as it should be
      json: `{"samples":[${first.map(({ json }) => json)}],${tail.slice(1)}`,
      sums: first,
    };
  };

  state.seal = () => {
    for (const seal of state.open) seal();
    state.open.clear();
    let room = maxMemory;
    settle(
      // Not what is on its way: it may have arrived.
      [...sums].reverse().filter((sum) => (room -= sum.json.length) < 0 && !state.batch?.sums.includes(sum)),
      "overMemory",
    );
  };

  state.exchange = async () => {
    const sent = (state.batch ??= cut());
    if (!sent) return undefined;
    const [status, text, retryAfter] = await post(url, sent, options, state);
    // An earlier attempt, given up for dead, may have been answered after all.
    if (state.batch !== sent) return undefined;
    const message = `${url}: ${status} ${text.slice(0, 300)}`;
    const refusal = (status > 299 && "rejected") as DropReason | undefined;
    if (refusal || !status) void tell(status, message, onError, new Error(message));
    // What the server would not say for ever is all but 2xx, and 4xx other than 401, 403, 408, 425 and 429.
    if (!/^(2|4(?!0[138]|2[59]))/.test(status as never)) {
      const restMs =
        (status | 2) === 403
          ? retryMs * SLOW
          : Math.min(+retryAfter! * 1_000 || Date.parse(retryAfter!) - Date.now() || 0, MAX_RETRY_AFTER_MS);
      // All of a backoff is random, so that many clients do not come back at once.
      return Math.max(restMs, retryMs * Math.min(MAX_BACKOFF, 2 ** failures++) * Math.random());
    }
    failures = 0;
    state.batch = undefined;
    try {
      const { rejected, reasons } = JSON.parse(text) as Answer;
      // Samples go oldest first, so if more are rejected than it explains, for their age, these come next.
      settle(
        sent.sums.filter(
          (_, place) => reasons.some(({ index }) => index === place) || (place > 99 && place < rejected),
        ),
        "rejected",
        reasons[0]!.reason,
      );
    } catch {
      // What has no such answer was accepted, or not, as a whole.
    }
    settle(sent.sums, refusal, message);
    return undefined;
  };

  return () => ({
    seen: state.seen,
    acknowledged,
    pending: state.seen - settledCalls,
    dropped: { ...dropped },
  });
}
