/**
 * Runs a history against the real buffer, D1 and reader, and compares them with the simplest possible model: a list of the
 * acknowledged batches. The queue is a list too, whose messages are delivered late, again, or never.
 */
import {
  abortAllDurableObjects,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import { dropDeadLetter, listDeadLetters, replayDeadLetter } from "../../src/admin/dead-letters.ts";
import { deleteSeries } from "../../src/admin/delete-series.ts";
import { UnknownSeriesError } from "../../src/read/errors.ts";
import type { Part } from "./counts.ts";
import { ErrorResponse } from "../../src/http/error-response.ts";
import { forgetKept } from "../../src/read/kept.ts";
import { readTotals } from "../../src/read/series.ts";
import { raiseLowWatermark } from "../../src/store/ledger.ts";
import { recallLost } from "../../src/recall/recall-lost.ts";
import { retain } from "../../src/retention/retain.ts";
import { envWith } from "../faults.ts";
import { buffer, deliver } from "../worker.ts";
import type { Batch } from "./batch.ts";
import { compareD1, comparePromql, compareTotals } from "./compare.ts";
import {
  buffersWith,
  dbWithFates,
  deletionBindings,
  dropBindings,
  pausingBindings,
  replaceQueue,
} from "./faulty-bindings.ts";
import { Flushes } from "./flushes.ts";
import { copyD1, copyOfEmptyD1, sealedIds, takeD1BackTo } from "./time-travel.ts";
import { Senders } from "./senders.ts";
import { SinkModel } from "./sink.ts";
import { type Call, nth, type Step } from "./step.ts";
import { emptyBuffer } from "./storage.ts";
import type { SeriesTotals } from "../../src/stats/sums.ts";

type StepOf<Name extends Step["do"]> = Extract<Step, { do: Name }>;

const HOUR_MS = 3_600_000;
/** Longer than MAX_WAITING_TIME and than the first waits for a confirmation. */
const LATE_MS = 400_000;
/** The retention job deletes failures that did not occur for longer. Totals still count their errors. */
const FAILURES_KEPT_MS = 365 * 24 * HOUR_MS;
const START = Date.UTC(2040, 0, 1, 12);

const MONTHS_HOURS = 1_000;

export class World {
  readonly #senders = new Senders();
  readonly #flushes = new Flushes();
  readonly #sink = new SinkModel();
  /** What the buffer answered to "ask low watermark", latest first. */
  #lowWatermarks: { epoch: string; n: number }[] = [];
  /**
   * Set when D1 or its ledger changed. Only then is the state read and compared, because reading after every step would
   * double the time of a run.
   */
  #needsCheck = false;
  /** Copies of D1, latest first. */
  #copies: Awaited<ReturnType<typeof copyD1>>[] = [];
  /** How often D1 went back. */
  #returns = 0;
  /** Whether D1 went back and that was not noticed yet. Reads may lack calls until then. */
  #lags = false;

  /** The latest time that the clock has shown. */
  #latest = START;

  static async run(history: readonly Step[]): Promise<void> {
    const world = new World();
    // Ahead of the platform's own clock, so that no alarm rings by itself.
    vi.setSystemTime(START);
    world.#copies.push(await copyOfEmptyD1());
    try {
      for (const step of history) {
        await world.#run(step);
        if (world.#needsCheck) await world.#check();
      }
      await world.#end();
    } finally {
      await world.#sink.end();
    }
  }

  async #run(step: Step): Promise<void> {
    this.#senders.noticeTime();
    switch (step.do) {
      case "add sink":
        return this.#sink.add();
      case "sink works":
        return this.#sink.work(step.requests);
      case "sink dies":
        return this.#sink.die();
      case "remove sink":
        return this.#sink.remove();
      case "post":
        return this.#senders.post(step);
      case "export":
        return this.#senders.export(step);
      case "post together":
        return this.#senders.postTogether(step);
      case "post much":
        return this.#senders.postSome(muchOf());
      case "post again":
        return this.#senders.postAgain(step.batch);
      case "reuse key":
        return this.#senders.reuseKey(step.batch);
      case "resend":
        return this.#senders.resend();
      case "wait":
        if (step.hours < 0) await this.#senders.endExports();
        // A known fault (docs/sinks.md): a sink that never sent for 90 days can miss days whose hours were deleted.
        if (step.hours > MONTHS_HOURS) await this.#sink.catchUp();
        return this.#turnClockTo(Date.now() + step.hours * HOUR_MS);
      case "ring":
        return this.#ring(step);
      case "evict":
        await buffer().health();
        return evictDurableObject(buffer());
      case "abort":
        return abortAllDurableObjects();
      case "fill":
        return this.#fill();
      case "deliver":
        return this.#deliver(step);
      case "ask low watermark":
        this.#lowWatermarks.unshift(await buffer().settledBelow());
        return;
      case "raise low watermark": {
        const answer = nth(this.#lowWatermarks, step.which);
        if (!answer) return;
        this.#needsCheck = true;
        return raiseLowWatermark(env.DB, answer.epoch, answer.n);
      }
      case "retain":
        return this.#retain(step);
      case "replay letter":
        return this.#replayLetter(step.letter);
      case "drop letter":
        return this.#dropLetter(step);
      case "delete":
        return this.#delete(step);
      case "read":
        return this.#readWith(step.pauses);
      case "at once":
        return this.#atOnce(step.steps);
      case "wipe":
        return this.#wipe();
      case "copy D1":
        this.#copies.unshift(await copyD1());
        return;
      case "D1 goes back":
        return this.#goBack(step.to);
      case "recall":
        return this.#recall();
    }
  }

  /** Goes back only as far as the buffer keeps flushes, and never to before a half-done drop, which would undo it. */
  async #goBack(to: number): Promise<void> {
    const copy = nth(this.#copies, to);
    if (!copy) return;
    const { epoch, sealed } = await sealedIds(copy);
    const isLost = sealed.some(({ isKnownToCopy, isPresent }) => !isKnownToCopy && !isPresent);
    const isHalfDropped = sealed.some(
      ({ n, isConfirmed }) => !isConfirmed && this.#flushes.dropped.has(`${epoch}:${n}`),
    );
    if (isLost || isHalfDropped) return;
    await takeD1BackTo(copy);
    const lost = await this.#flushes.forgetLost();
    this.#senders.counted = this.#senders.counted.filter((parts) => !lost.includes(parts));
    this.#returns++;
    this.#lags = true;
    this.#needsCheck = true;
  }

  async #recall(): Promise<void> {
    const lost = await recallLost(env);
    if (lost.length > 0) throw new Error(`The buffer does not keep what D1 lacks: ${JSON.stringify(lost)}`);
    this.#lags = false;
    this.#needsCheck = true;
  }

  async #turnClockTo(time: number): Promise<void> {
    await this.#senders.resendBefore(time);
    vi.setSystemTime(time);
    this.#latest = Math.max(this.#latest, time);
  }

  async #ring({ when, queue }: StepOf<"ring">): Promise<void> {
    await replaceQueue((message) => this.#flushes.take(message), queue);
    if (when !== "early") await this.#turnClockToAlarm();
    if (when === "late") await this.#turnClockTo(Date.now() + LATE_MS);
    await runDurableObjectAlarm(buffer());
  }

  async #turnClockToAlarm(): Promise<void> {
    const at = await runInDurableObject(buffer(), (_, state) => state.storage.getAlarm());
    if (at !== null && at > Date.now()) await this.#turnClockTo(at);
  }

  async #fill(): Promise<void> {
    for (let i = 0; i < 15; i++) {
      await this.#senders.postSome([{ function: "pay", ms: 5, times: 1 }]);
      await this.#ring({ do: "ring", when: "late", queue: "takes" });
    }
    await this.#run({ do: "post much" });
    await this.#ring({ do: "ring", when: "late", queue: "takes" });
  }

  async #deliver(step: StepOf<"deliver">): Promise<void> {
    const { messages } = this.#flushes;
    if (messages.length === 0) return;
    this.#needsCheck = true;
    const returns = this.#returns;
    const bodies = step.messages.map((i) => asSentBy(step.release, nth(messages, i)!));
    await deliver(bodies, {
      queue: `metrics-collector-${step.queue.replace(" ", "-")}`,
      env: envWith({
        DB: dbWithFates(step.transactions, () => this.#runAll(step.between)),
        BUFFER: buffersWith(step.confirmation),
      }),
    });
    const orphans = await this.#flushes.arrivedOrphans();
    // No buffer knows of them, so rows that are kept lack them until they are compared with D1, for up to five minutes.
    if (orphans.length > 0) forgetKept();
    this.#senders.counted.push(...orphans);
    // The confirmation was of a D1 that is no more.
    if (this.#returns > returns) this.#lags = true;
  }

  async #retain({ chunk, maxChunks, transactions, between }: StepOf<"retain">): Promise<void> {
    this.#needsCheck = true;
    const DB = dbWithFates(transactions, () => this.#runAll(between));
    await retain(envWith({ DB }), Date.now(), { chunk, maxChunks });
  }

  async #replayLetter(which: number): Promise<void> {
    const letter = nth(await listDeadLetters(env), which);
    if (letter) await replayDeadLetter(env, letter.id).catch(unless404);
  }

  /** Until the ledger has the entry, the whole flush counts. From then on, none of it does. */
  async #dropLetter(step: StepOf<"drop letter">): Promise<void> {
    await this.#senders.resend();
    const letter = nth(await listDeadLetters(env), step.letter);
    if (!letter || this.#senders.doubtful.length > 0) return;
    await this.#check();
    const others = await this.#flushes.contentsBut(letter.id);
    let wasKnown = false;
    const bindings = dropBindings(step, async (pause) => {
      await this.#runAll(step.pauses[pause] ?? []);
      if (pause === 0) wasKnown = (await this.#flushes.ledgered()).has(letter.id);
    });
    const outcome = await dropDeadLetter(bindings, letter.id).catch((error: unknown) => error);
    const isDropped = !wasKnown && (await this.#flushes.ledgered()).has(letter.id);
    // 409: D1 has applied it. 404: the low watermark has passed it, so nobody knows any more what happened to it.
    const isRefused = outcome instanceof ErrorResponse && [404, 409].includes(outcome.status);
    const isAnswered = !(outcome instanceof Error);
    if (isAnswered && !isDropped && !this.#flushes.dropped.has(letter.id))
      throw new Error("DELETE answered that the dead letter is dropped, and it is not.");
    if (isAnswered) {
      const again = await dropDeadLetter(env, letter.id);
      if (JSON.stringify(again) !== JSON.stringify(outcome))
        throw new Error("A repeated DELETE of a dead letter got another answer than the first one.");
    }
    const isFaulty = step.ledger !== "commits" || step.confirmation !== "arrives";
    if (isRefused ? isDropped : outcome instanceof Error && !isFaulty) throw outcome;
    this.#needsCheck = true;
    if (!isDropped) return;
    this.#flushes.dropped.add(letter.id);
    this.#senders.counted = [...others, ...this.#flushes.orphans];
  }

  /** From the moment that the buffer has the deletion, nothing that was acknowledged before it counts. */
  async #delete(step: StepOf<"delete">): Promise<void> {
    await this.#senders.resend();
    if (this.#senders.doubtful.length > 0 || (await this.#flushes.awaitsOrphans())) return;
    const prefix = `${step.service}/${step.function ?? ""}`;
    const isSelected = ({ function: name }: Part) =>
      step.function === null ? name.startsWith(prefix) : name === prefix;
    const bindings = deletionBindings(
      step,
      () => {
        this.#senders.forgetSeries(isSelected);
        this.#flushes.forgetSeries(isSelected);
      },
      (pause) => this.#runAll(step.pauses[pause] ?? []),
    );
    this.#needsCheck = true;
    const { service, function: name } = step;
    const selector = name === null ? { service } : { service, function: name };
    await deleteSeries(bindings, selector).catch(unlessUnknown);
    this.#needsCheck = true;
  }

  async #runAll(steps: readonly Step[]): Promise<void> {
    for (const step of steps) await this.#run(step);
  }

  /** Reads, with a pause before each request. The result must have been true at some moment of the read. */
  async #readWith(pauses: readonly Step[][]): Promise<void> {
    const from = this.#senders.counted.length;
    const doubtful = [...this.#senders.doubtful];
    let reads = 0;
    const pausing = pausingBindings(() => this.#runAll(pauses[reads++] ?? []));
    const totals = await readTotals(envWith(pausing));
    if (this.#lags) return;
    this.#compare(totals, [...new Set([...doubtful, ...this.#senders.doubtful])], from);
  }

  async #atOnce(steps: readonly Step[]): Promise<void> {
    const mayDie = steps.some((step) => step.do === "abort");
    // The clock stands still while the steps run, so that a batch has one time only.
    const rings = steps.filter((step) => step.do === "ring");
    if (rings.some(({ when }) => when !== "early")) await this.#turnClockToAlarm();
    if (rings.some(({ when }) => when === "late")) await this.#turnClockTo(Date.now() + LATE_MS);
    const outcomes = await Promise.allSettled(
      steps.map((step) => this.#run(step.do === "ring" ? { ...step, when: "early" } : step)),
    );
    for (const outcome of outcomes) if (outcome.status === "rejected" && !mayDie) throw outcome.reason;
  }

  /** Deletes the storage of the buffer. Flushes that are in D1, or arrive there later, count. The rest and the keys are lost. */
  async #wipe(): Promise<void> {
    this.#needsCheck = true;
    this.#senders.forget();
    this.#senders.counted = await this.#flushes.orphan();
    await emptyBuffer();
    // A lost storage keeps nothing.
    this.#copies = [];
    this.#lags = false;
  }

  async #check(): Promise<void> {
    this.#needsCheck = false;
    if (this.#lags) return;
    const [totals] = await Promise.all([readTotals(env), this.#holdsAnything()]);
    this.#compare(totals, this.#senders.doubtful);
    await comparePromql(totals, this.#latest);
  }

  #compare(totals: readonly SeriesTotals[], doubtful: readonly Batch[], from?: number): void {
    const { counted } = this.#senders;
    compareTotals(totals, { counted, doubtful, orphans: this.#flushes.orphans, from });
  }

  /** Ends a history without faults. Everything must reach D1, and D1 alone must have the right counts. */
  async #end(): Promise<void> {
    await this.#senders.resend();
    if (this.#senders.doubtful.length > 0) throw new Error("A batch got no answer, though nothing failed.");
    await this.#recall();
    for (let round = 0; await this.#holdsAnything(); round++) {
      if (round > 50) throw new Error("The buffer is not empty after 50 rounds.");
      await this.#drain();
    }
    await this.#recall();
    if (await this.#holdsAnything())
      throw new Error("D1 lacks what it has confirmed, though it did not go back.");
    const mayForget = Date.now() - START > FAILURES_KEPT_MS;
    await compareD1(this.#senders.counted.flat(), mayForget, this.#latest);
    await this.#sink.compare(this.#senders.counted.flat());
  }

  /** Whether the buffer holds anything. It must have an alarm then, so that nothing is stuck, and none otherwise. */
  async #holdsAnything(): Promise<boolean> {
    const { holds, alarm } = await runInDurableObject(buffer(), async (instance, { storage }) => {
      const { bufferedBytes, unconfirmedFlushes } = instance.health();
      return { holds: bufferedBytes > 0 || unconfirmedFlushes > 0, alarm: await storage.getAlarm() };
    });
    if (holds !== (alarm !== null)) throw new Error(holds ? "No alarm is set." : "An alarm is left behind.");
    return holds;
  }

  async #drain(): Promise<void> {
    await this.#ring({ do: "ring", when: "late", queue: "takes" });
    const messages = [...this.#flushes.messages.keys()];
    await this.#deliver({
      do: "deliver",
      messages,
      queue: "flushes",
      release: "this",
      transactions: [],
      confirmation: "arrives",
      between: [],
    });
  }
}

/** The message as another release of the buffer would send it. */
function asSentBy(release: StepOf<"deliver">["release"], message: string): string {
  if (release === "this") return message;
  const { version, ...flush } = JSON.parse(message) as { version: number };
  return JSON.stringify(release === "older" ? flush : { version: version + 1, ...flush });
}

function unlessUnknown(error: unknown): void {
  if (!(error instanceof UnknownSeriesError)) throw error;
}

function unless404(error: unknown): void {
  if (!(error instanceof ErrorResponse && error.status === 404)) throw error;
}

/** Calls with names that fill more than one queue message. */
function muchOf(): Omit<Call, "service">[] {
  return Array.from({ length: 300 }, (_, i) => ({
    function: `${"much".repeat(45)}${i}` as Call["function"],
    ms: 1 + (i % 7),
    times: 1,
  }));
}
