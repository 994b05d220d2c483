/**
 * Runs a history against the real buffer, D1 and reader, next to the plainest model of them: a list of what was
 * acknowledged. The queue is a list too: what the buffer sent may be delivered late, again, or never.
 */
import {
  abortAllDurableObjects,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import { type FunctionMetrics, functionMetrics } from "../../src/query/function-metrics.ts";
import { readTotals } from "../../src/query/totals.ts";
import type { Delta, FunctionTotals } from "../../src/stats/delta.ts";
import { raiseFloor } from "../../src/store/ledger.ts";
import { envWith } from "../faults.ts";
import { buffer, deliver, metrics, post } from "../worker.ts";
import { type Batch, batchOf, KEY_KNOWN_MS } from "./batch.ts";
import {
  difference,
  failuresOf,
  line,
  type Part,
  readD1,
  sorted,
  type Table,
  tableOf,
  totalsOf,
} from "./counts.ts";
import { buffersWith, dbWithFates, pausingBindings, replaceQueue } from "./faulty-bindings.ts";
import type { Call, Step } from "./step.ts";

type StepOf<Name extends Step["do"]> = Extract<Step, { do: Name }>;

const CHANGES_NOTHING = new Set<Step["do"]>(["ask floor", "reuse key", "read"]);
const HOUR_MS = 3_600_000;
/** Above MAX_WAITING_TIME, and above the first waits for a confirmation. */
const LATE_MS = 400_000;
const LATEST_RESEND_MS = 47 * HOUR_MS;

export class World {
  /** What counts, batch by batch, in the order of the acknowledgements. */
  #counted: Part[][] = [];
  /** Acknowledged batches that may come again, the latest first. */
  #known: Batch[] = [];
  /** Sent, and not answered: recorded or not. */
  #doubtful: Batch[] = [];
  /** Every message that the buffer ever sent, the latest first, and what each flush id said when it was first sent. */
  #messages: string[] = [];
  readonly #sealed = new Map<string, { epoch: string; n: number; deltas: Delta[]; message: string }>();
  /** Flushes of a storage that was lost: what of them reached D1 counts, whenever it does. */
  readonly #orphans = new Set<string>();
  readonly #countedOrphans = new Set<string>();
  readonly #ofOrphans = new Set<Part[]>();
  #floors: { epoch: string; n: number }[] = [];
  #keys = 0;
  #latest = 0;

  static async run(history: readonly Step[]): Promise<void> {
    const world = new World();
    // Ahead of the platform's own clock, so that no alarm rings by itself.
    vi.setSystemTime(Date.UTC(2040, 0, 1, 12));
    for (const step of history) {
      await world.#run(step);
      if (!CHANGES_NOTHING.has(step.do)) await world.#check();
    }
    await world.#end();
  }

  async #run(step: Step): Promise<void> {
    this.#latest = Math.max(this.#latest, Date.now());
    switch (step.do) {
      case "post":
        return this.#postCalls(step);
      case "post much":
        return this.#send(batchOf("shop", muchOf(), this.#newKey(), Date.now()));
      case "post again":
        return this.#postAgain(this.#known[step.batch]);
      case "reuse key":
        return this.#reuseKey(this.#known[step.batch]);
      case "resend":
        for (const batch of this.#doubtful.splice(0)) await this.#send(batch);
        return;
      case "wait":
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
      case "ask floor":
        this.#floors.unshift(await buffer().settledBelow());
        return;
      case "raise floor": {
        const floor = this.#floors[step.floor];
        return floor && raiseFloor(env.DB, floor.epoch, floor.n);
      }
      case "sweep": {
        const { epoch, n } = await buffer().settledBelow();
        return raiseFloor(env.DB, epoch, n);
      }
      case "read":
        return this.#readWith(step.pauses);
      case "at once":
        return this.#atOnce(step.steps);
      case "wipe":
        return this.#wipe();
    }
  }

  /** Before it is too late, senders in doubt have sent again: keys are known long enough for that. */
  async #turnClockTo(time: number): Promise<void> {
    const isLate = (batch: Batch) => time - batch.sentAt > LATEST_RESEND_MS;
    const late = this.#doubtful.filter(isLate);
    this.#doubtful = this.#doubtful.filter((batch) => !isLate(batch));
    for (const batch of late) await this.#send(batch);
    vi.setSystemTime(time);
  }

  async #postCalls({ calls, keyed, copies, answer }: StepOf<"post">): Promise<void> {
    // The same key for both services: each is another batch.
    const key = keyed ? this.#newKey() : undefined;
    for (const [service, ofService] of Map.groupBy(calls, (call) => call.service)) {
      const batch = batchOf(service, ofService, key, Date.now());
      const isLost = answer === "is lost";
      await Promise.all(Array.from({ length: copies }, () => this.#send(batch, isLost)));
    }
  }

  /** Sends a batch and believes the answer, if it is not lost. A key is recorded once. */
  async #send(batch: Batch, isLost = false): Promise<void> {
    const response = await post(batch.samples, {
      service: batch.service,
      ...(batch.key === undefined ? {} : { key: batch.key }),
    });
    if (isLost || response.status === 503) {
      if (batch.key === undefined) throw new Error("A batch without a key was not answered.");
      await response.body?.cancel();
      if (!this.#known.includes(batch) && !this.#doubtful.includes(batch)) this.#doubtful.push(batch);
      return;
    }
    if (response.status !== 202) throw new Error(`POST: ${response.status} ${await response.text()}`);
    const { accepted, duplicate } = await response.json<{ accepted: number; duplicate: boolean }>();
    const isKnown = this.#known.includes(batch);
    if (isKnown && duplicate) return;
    if (isKnown && batch.key !== undefined && this.#latest - batch.sentAt <= KEY_KNOWN_MS) {
      throw new Error(`The key ${batch.key} was acknowledged before, and was not known.`);
    }
    const parts = batch.partsAt(duplicate ? batch.sentAt : Date.now());
    if (accepted !== parts.length) throw new Error(`${accepted} samples were accepted, not ${parts.length}.`);
    this.#doubtful = this.#doubtful.filter((other) => other !== batch);
    this.#counted.push(parts);
    if (!isKnown) this.#known.unshift(batch);
  }

  async #postAgain(batch: Batch | undefined): Promise<void> {
    if (batch && batch.key !== undefined) await this.#send(batch);
  }

  async #reuseKey(batch: Batch | undefined): Promise<void> {
    if (!batch || batch.key === undefined || this.#latest - batch.sentAt > KEY_KNOWN_MS) return;
    const response = await post([{ function: "other", durationMs: 1 }], {
      service: batch.service,
      key: batch.key,
    });
    if (response.status !== 409) throw new Error(`A key with another body: ${response.status}.`);
  }

  async #ring({ when, queue }: StepOf<"ring">): Promise<void> {
    await replaceQueue((message) => this.#take(message), queue);
    if (when !== "early") await this.#turnClockToAlarm();
    if (when === "late") await this.#turnClockTo(Date.now() + LATE_MS);
    await runDurableObjectAlarm(buffer());
  }

  async #turnClockToAlarm(): Promise<void> {
    const at = await runInDurableObject(buffer(), (_, state) => state.storage.getAlarm());
    if (at !== null && at > Date.now()) await this.#turnClockTo(at);
  }

  /** Keeps a message. An id means one flush for ever: another one would look applied. */
  #take(message: string): void {
    const { epoch, n, deltas } = JSON.parse(message) as { epoch: string; n: number; deltas: Delta[] };
    const id = `${epoch}:${n}`;
    const first = this.#sealed.get(id);
    if (first && first.message !== message) throw new Error(`Flush ${n} was sent with two contents.`);
    this.#sealed.set(id, { epoch, n, deltas, message });
    this.#messages = [message, ...this.#messages.filter((other) => other !== message)];
  }

  async #fill(): Promise<void> {
    for (let i = 0; i < 15; i++) {
      await this.#send(batchOf("shop", [{ function: "pay", ms: 5, times: 1 }], this.#newKey(), Date.now()));
      await this.#ring({ do: "ring", when: "late", queue: "takes" });
    }
    await this.#run({ do: "post much" });
    await this.#ring({ do: "ring", when: "late", queue: "takes" });
  }

  async #deliver(step: StepOf<"deliver">): Promise<void> {
    const bodies = step.messages.map((i) => this.#messages[i]).filter((body) => body !== undefined);
    if (bodies.length === 0) return;
    await deliver(bodies, {
      queue: `metrics-collector-${step.queue.replace(" ", "-")}`,
      env: envWith({
        DB: dbWithFates(step.transactions, async () => {
          for (const next of step.between) await this.#run(next);
        }),
        BUFFER: buffersWith(step.confirmation),
      }),
    });
    if (this.#orphans.size > 0) await this.#countOrphans();
  }

  /** Reads with a pause before each of its reads: what comes out was true at some moment from the first to the last. */
  async #readWith(pauses: readonly Step[][]): Promise<void> {
    const from = this.#counted.length;
    const doubtful = [...this.#doubtful];
    let reads = 0;
    const pausing = pausingBindings(async () => {
      for (const step of pauses[reads++] ?? []) await this.#run(step);
    });
    const totals = await readTotals(envWith(pausing), () => true);
    this.#compare(totals, from, [...new Set([...doubtful, ...this.#doubtful])]);
  }

  async #atOnce(steps: readonly Step[]): Promise<void> {
    const mayDie = steps.some((step) => step.do === "abort");
    // The clock stands still while they run: a batch is of one time only.
    const rings = steps.filter((step) => step.do === "ring");
    if (rings.some(({ when }) => when !== "early")) await this.#turnClockToAlarm();
    if (rings.some(({ when }) => when === "late")) await this.#turnClockTo(Date.now() + LATE_MS);
    const outcomes = await Promise.allSettled(
      steps.map((step) => this.#run(step.do === "ring" ? { ...step, when: "early" } : step)),
    );
    for (const outcome of outcomes) if (outcome.status === "rejected" && !mayDie) throw outcome.reason;
  }

  /** What D1 has, still counts, and so does what comes late; the rest of it is lost, and its keys are forgotten. */
  async #wipe(): Promise<void> {
    for (const id of this.#sealed.keys()) this.#orphans.add(id);
    this.#counted = [];
    this.#known = [];
    this.#doubtful = [];
    this.#countedOrphans.clear();
    await this.#countOrphans();
    await runInDurableObject(buffer(), (_, state) => state.storage.deleteAll());
    await evictDurableObject(buffer());
  }

  async #countOrphans(): Promise<void> {
    for (const id of await this.#appliedOrphans()) {
      if (this.#countedOrphans.has(id)) continue;
      this.#countedOrphans.add(id);
      const parts = this.#sealed.get(id)!.deltas.map(partOfDelta);
      this.#ofOrphans.add(parts);
      this.#counted.push(parts);
    }
  }

  async #appliedOrphans(): Promise<Set<string>> {
    const [flushes, epochs] = await env.DB.batch<{ epoch: string; n: number; floor: number }>([
      env.DB.prepare("SELECT epoch, n FROM flushes"),
      env.DB.prepare("SELECT epoch, floor FROM epochs"),
    ]);
    const applied = new Set(flushes!.results.map(({ epoch, n }) => `${epoch}:${n}`));
    const floors = new Map(epochs!.results.map(({ epoch, floor }) => [epoch, floor]));
    const isApplied = (id: string) => {
      const { epoch, n } = this.#sealed.get(id)!;
      return applied.has(id) || n < (floors.get(epoch) ?? 0);
    };
    return new Set([...this.#orphans].filter(isApplied));
  }

  async #check(): Promise<void> {
    this.#compare(await readTotals(env, () => true), this.#counted.length, this.#doubtful);
    await this.#checkAlarm();
  }

  /** The totals must be what was counted after some batch from the `from`th on, with any of those in doubt. */
  #compare(totals: readonly FunctionTotals[], from: number, doubtful: readonly Batch[]): void {
    const actual = tableOfTotals(totals);
    // What an orphan brings is seen as of the read of D1, and what was posted as of the snapshot: in no common order.
    const orphans = this.#counted.slice(from).filter((parts) => this.#ofOrphans.has(parts));
    const extras = subsets([...doubtful.map((batch) => batch.partsAt(batch.sentAt)), ...orphans]);
    for (let upTo = this.#counted.length; upTo >= from; upTo--) {
      const counted = this.#counted
        .slice(0, upTo)
        .filter((parts) => !orphans.includes(parts))
        .flat();
      if (extras.some((extra) => difference(actual, totalsOf([...counted, ...extra])) === "")) return;
    }
    throw new Error(`GET /metrics\n${difference(actual, totalsOf(this.#counted.flat()))}`);
  }

  /** Where something waits an alarm is set, and else none: nothing is stuck, and idle costs nothing. */
  async #checkAlarm(): Promise<void> {
    const { waits, alarm } = await runInDurableObject(buffer(), async (instance, { storage }) => {
      const { bufferedBytes, unconfirmedFlushes } = instance.health();
      return { waits: bufferedBytes > 0 || unconfirmedFlushes > 0, alarm: await storage.getAlarm() };
    });
    if (waits !== (alarm !== null)) throw new Error(waits ? "No alarm is set." : "An alarm is left behind.");
  }

  /** From here on nothing fails: all of it must reach D1, and D1 alone must say what was counted. */
  async #end(): Promise<void> {
    await this.#run({ do: "resend" });
    for (let round = 0; await this.#waits(); round++) {
      if (round > 50) throw new Error("What the buffer has never reaches D1.");
      await this.#drain();
    }
    await this.#check();
    const parts = this.#counted.flat();
    const totals = await readTotals(env, () => true);
    const text = (rows: readonly FunctionMetrics[]) =>
      rows
        .map((row) => JSON.stringify(row))
        .sort((a, b) => (a < b ? -1 : 1))
        .join();
    const shown = text(await metrics());
    if (shown !== text(totals.map(functionMetrics))) throw new Error(`GET /metrics shows ${shown}`);

    const stored = await readD1();
    const bucket = (row: { width: number; start: number }) => `${row.width}s from ${row.start}`;
    const rollupOf = (part: Part) =>
      stored.rollups.find(
        (row) =>
          row.function === part.function && row.start <= part.minute && part.minute < row.start + row.width,
      );
    const keyOf = (part: Part) => {
      const row = rollupOf(part);
      return row ? `${part.function} ${bucket(row)}` : `${part.function}, minute ${part.minute}`;
    };
    const rollups = sorted(stored.rollups.map((row) => [`${row.function} ${bucket(row)}`, row.line]));
    const differences = [
      ["functions", difference(stored.totals, totalsOf(parts))],
      ["rollups", difference(rollups, tableOf(parts, keyOf))],
      ["failures", difference(stored.failures, failuresOf(parts))],
    ].filter(([, text]) => text !== "");
    if (differences.length > 0) {
      throw new Error(differences.map(([table, text]) => `D1, ${table}\n${text}`).join("\n"));
    }
  }

  async #waits(): Promise<boolean> {
    const { bufferedBytes, unconfirmedFlushes } = await buffer().health();
    return bufferedBytes > 0 || unconfirmedFlushes > 0;
  }

  async #drain(): Promise<void> {
    await this.#ring({ do: "ring", when: "late", queue: "takes" });
    const messages = this.#messages.map((_, i) => i);
    await this.#deliver({
      do: "deliver",
      messages,
      queue: "flushes",
      transactions: [],
      confirmation: "arrives",
      between: [],
    });
  }

  #newKey(): string {
    return `key ${++this.#keys}`;
  }
}

function partOfDelta(delta: Delta): Part {
  return {
    ...delta,
    function: `${delta.service}/${delta.function}`,
    failures: Object.fromEntries(delta.failures.map(({ name, calls }) => [name, calls])),
  };
}

function tableOfTotals(totals: readonly FunctionTotals[]): Table {
  return sorted(totals.map((row) => [`${row.service}/${row.function}`, line(row)]));
}

function subsets(sets: readonly Part[][]): Part[][] {
  return sets.reduce<Part[][]>((known, set) => [...known, ...known.map((other) => [...other, ...set])], [[]]);
}

/** Names and messages that fill more than one queue message. */
function muchOf(): Omit<Call, "service">[] {
  return Array.from({ length: 300 }, (_, i) => ({
    function: `${"much".repeat(45)}${i}` as Call["function"],
    ms: 1 + (i % 7),
    times: 1,
  }));
}
