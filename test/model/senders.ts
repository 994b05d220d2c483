/** The senders: which batches are acknowledged, which are in doubt, and what counts. */
import { rangesOf } from "../../src/stats/index-ranges.ts";
import { buffer, fetchWorker, post as postSamples } from "../worker.ts";
import { type Batch, batchOf, KEY_KNOWN_MS } from "./batch.ts";
import type { Part } from "./counts.ts";
import { OtlpSender } from "./otlp-sender.ts";
import { type Call, nth, type Step } from "./step.ts";
import { brokenGroup, together } from "./together.ts";

interface Answer {
  accepted: number;
  rejectedRanges?: number[][];
  duplicate: boolean;
}

type StepOf<Name extends Step["do"]> = Extract<Step, { do: Name }>;

/** Much longer than any answer takes. */
const ANSWERED_WITHIN_MS = 20_000;
const LATEST_RESEND_MS = 47 * 3_600_000;

export class Senders {
  /** Batches that count, in the order of their acknowledgements. */
  counted: Part[][] = [];
  /** Batches that were sent and not answered. They may be recorded or not. */
  doubtful: Batch[] = [];
  /** Acknowledged batches that may be sent again, latest first. */
  #known: Batch[] = [];
  #keys = 0;
  readonly #process = new OtlpSender("shop");
  /** The request that the process waits for. */
  #exporting: Promise<unknown> | undefined;
  /** The latest time of the clock so far. The clock may be set back. */
  #latest = 0;

  noticeTime(): void {
    this.#latest = Math.max(this.#latest, Date.now());
  }

  /** Sends again every batch in doubt that would be too late at that time. Keys are known for longer than that. */
  async resendBefore(time: number): Promise<void> {
    const isLate = (batch: Batch) => time - batch.sentAt > LATEST_RESEND_MS;
    const late = this.doubtful.filter(isLate);
    this.doubtful = this.doubtful.filter((batch) => !isLate(batch));
    for (const batch of late) await this.#send(batch);
  }

  async resend(): Promise<void> {
    for (const batch of this.doubtful.splice(0)) await this.#send(batch);
  }

  async post({ calls, keyed, copies, answer, clockErrorHours = 0 }: StepOf<"post">): Promise<void> {
    // The same key for both services. They are different batches.
    const key = keyed ? this.#newKey() : undefined;
    for (const [service, ofService] of Map.groupBy(calls, (call) => call.service)) {
      const batch = batchOf(service, ofService, key, Date.now(), clockErrorHours * 3_600_000);
      const isLost = answer === "is lost";
      if (copies === 1) await this.#send(batch, isLost);
      else await Promise.all(Array.from({ length: copies }, () => this.#send(batch, isLost)));
    }
  }

  async postTogether({ batches, twice, beside, broken, fate }: StepOf<"post together">): Promise<void> {
    // Keeps the number of batches in doubt small, since each doubles the possible results.
    await this.resend();
    const key = this.#newKey();
    const good = batches.map((calls) => batchOf("shop", calls, this.#newKey(), Date.now()));
    const sent = twice ? [...good, ...good] : good;
    await together(fate, async () => {
      const breaking = broken && buffer().recordGroup(brokenGroup(broken, "shop", key));
      const notNew = [
        beside !== "nothing old" && this.postAgain(0),
        beside === "an old batch and an old key" && fate === "ends well" && this.reuseKey(0),
      ];
      const outcomes = await inTime(
        Promise.allSettled([breaking, ...notNew, ...sent.map((batch) => this.#send(batch))]),
      );
      const [outcome, ...others] = outcomes;
      if (broken && outcome?.status === "fulfilled") throw new Error("A broken batch was recorded.");
      for (const other of others) if (other.status === "rejected") throw other.reason;
    });
    if (fate === "ends well" && good.some((batch) => !this.#known.includes(batch))) {
      throw new Error("A batch was not acknowledged, though nothing was wrong with it.");
    }
    // Nothing of the broken batch was stored, so its key is free.
    if (broken) await this.#send(batchOf("shop", batches[0]!, key, Date.now()));
  }

  /** The process sends nothing new while it is in doubt, or waits for an answer. */
  async export({ calls, signal, restarts, copies, answer }: StepOf<"export">): Promise<void> {
    // A time ahead of the server's clock counts as now, so it could not be told at which attempt it was recorded.
    if (this.#exporting || this.#process.isAheadOf(Date.now())) return;
    await this.endExports();
    if (this.#exporting || this.doubtful.some(({ otlp }) => otlp !== undefined)) return;
    if (restarts) this.#process.restart();
    const batch = this.#process[signal](calls, Date.now());
    this.#exporting = Promise.all(
      Array.from({ length: copies }, () => this.#send(batch, answer === "is lost")),
    ).finally(() => (this.#exporting = undefined));
    await this.#exporting;
  }

  /** Sends requests of the process again that are in doubt. */
  async endExports(): Promise<void> {
    for (const batch of this.doubtful.filter(({ otlp }) => otlp !== undefined)) {
      this.doubtful = this.doubtful.filter((other) => other !== batch);
      await this.#send(batch);
    }
  }

  async postSome(calls: readonly Omit<Call, "service">[]): Promise<void> {
    await this.#send(batchOf("shop", calls, this.#newKey(), Date.now()));
  }

  async postAgain(which: number): Promise<void> {
    const batch = nth(this.#known, which);
    if (batch && (batch.key !== undefined || batch.otlp)) await this.#send(batch);
  }

  async reuseKey(which: number): Promise<void> {
    const batch = nth(this.#known, which);
    if (!batch || batch.key === undefined || this.#latest - batch.sentAt > KEY_KNOWN_MS) return;
    const { status } = await post({ ...batch, samples: [{ function: "other", durationMs: 1 }] });
    if (status !== 409) throw new Error(`A key with another body: ${status}.`);
  }

  /** What the selected series had no longer counts. */
  forgetSeries(isSelected: (part: Part) => boolean): void {
    this.counted = this.counted.map((parts) => parts.filter((part) => !isSelected(part)));
  }

  /** Forgets everything. Senders do not send again what they sent to a buffer whose storage is lost. */
  forget(): void {
    this.counted = [];
    this.doubtful = [];
    this.#known = [];
    this.#process.restart();
  }

  /** Sends a batch. If the answer is not lost, it decides what counts. */
  async #send(batch: Batch, isLost = false): Promise<void> {
    const response = await post(batch);
    if (isLost || response.status === 503) {
      if (batch.key === undefined && !batch.otlp) throw new Error("A batch without a key was not answered.");
      await response.body?.cancel();
      if (!this.#known.includes(batch) && !this.doubtful.includes(batch)) this.doubtful.push(batch);
      return;
    }
    if (batch.otlp && response.status === 200) return this.#takeExport(batch);
    if (response.status !== 202 && response.status !== 422)
      throw new Error(`POST: ${response.status} ${await response.text()}`);
    const { accepted, duplicate, rejectedRanges = [] } = await response.json<Answer>();
    const isKnown = this.#known.includes(batch);
    if (isKnown && duplicate) return;
    if (isKnown && batch.key !== undefined && this.#latest - batch.sentAt <= KEY_KNOWN_MS) {
      throw new Error(`The key ${batch.key} was acknowledged before, and was not known.`);
    }
    const recordedAt = duplicate ? batch.sentAt : Date.now();
    const parts = batch.partsAt(recordedAt);
    if (accepted !== parts.length) throw new Error(`${accepted} samples were accepted, not ${parts.length}.`);
    if (JSON.stringify(rejectedRanges) !== JSON.stringify(rangesOf(batch.rejectedAt(recordedAt)))) {
      throw new Error(`The samples ${JSON.stringify(rejectedRanges)} were rejected, and others should be.`);
    }
    this.doubtful = this.doubtful.filter((other) => other !== batch);
    this.counted.push(parts);
    if (!isKnown) this.#known.unshift(batch);
  }

  /** The answer does not tell whether the request was known. Of a known one nothing may count. */
  #takeExport(batch: Batch): void {
    if (this.#known.includes(batch)) return;
    this.doubtful = this.doubtful.filter((other) => other !== batch);
    this.counted.push(batch.partsAt(Date.now()));
    this.#known.unshift(batch);
  }

  #newKey(): string {
    return `key ${++this.#keys}`;
  }
}

/** Fails if one batch of a group is never answered. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: number | null = null;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("A batch is never answered.")), ANSWERED_WITHIN_MS);
  });
  return Promise.race([work, tooLong]).finally(() => clearTimeout(timer));
}

function post({ service, key, samples, otlp, clockErrorMs, sentAt }: Batch): Promise<Response> {
  if (otlp) {
    const headers = { "Content-Type": "application/json" };
    return fetchWorker(otlp.path, { method: "POST", headers, body: otlp.body });
  }
  const made =
    clockErrorMs === 0 ? {} : { sentAt: sentAt + clockErrorMs, ageMs: Math.max(0, Date.now() - sentAt) };
  return postSamples([...samples], { service, ...(key !== undefined && { key }), ...made });
}
