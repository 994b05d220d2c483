/** Every flush that the buffer ever sealed, and its message. The queue of the model is this list, so it loses nothing. */
import { env } from "cloudflare:workers";
import type { Delta } from "../../src/stats/delta.ts";
import { buffer } from "../worker.ts";
import { histogramOf, type Part } from "./counts.ts";

interface Sealed {
  epoch: string;
  n: number;
  deltas: Delta[];
  message: string;
}

export class Flushes {
  /** Every message that the buffer ever sent, latest first. */
  messages: string[] = [];
  /** Ids of dead letters that a person dropped. */
  readonly dropped = new Set<string>();
  /** By id, as first sent. */
  readonly #sealed = new Map<string, Sealed>();
  /** Ids of flushes that a lost storage sealed. They count as soon as they reach D1. */
  readonly #orphans = new Set<string>();
  readonly #arrived = new Map<string, Part[]>();

  /** Flushes of lost storages that count. */
  get orphans(): Part[][] {
    return [...this.#arrived.values()];
  }

  /** Keeps a message. An id must never get a second content, because D1 would take that for applied. */
  take(message: string): void {
    const { epoch, n, deltas } = JSON.parse(message) as { epoch: string; n: number; deltas: Delta[] };
    const id = `${epoch}:${n}`;
    const first = this.#sealed.get(id);
    // A deletion removes series from flushes that are sent again. The copy from before stays in the queue.
    const isEmptied = this.dropped.has(id) && deltas.length === 0;
    if (first && !isEmptied && JSON.stringify(first.deltas) !== JSON.stringify(deltas)) {
      throw new Error(`Flush ${n} was sent with two contents.`);
    }
    this.#sealed.set(id, { epoch, n, deltas, message });
    this.messages = [message, ...this.messages.filter((other) => other !== message)];
  }

  /** Whether flushes of lost storages may still come. They would bring deleted series back, so nothing is deleted then. */
  async awaitsOrphans(): Promise<boolean> {
    const ledgered = await this.ledgered();
    return [...this.#orphans].some((id) => !ledgered.has(id));
  }

  /** Call when the buffer has the deletion. What the selected series had in flushes no longer counts. */
  forgetSeries(isSelected: (part: Part) => boolean): void {
    const isKept = (delta: Delta) => !isSelected(partOf(delta));
    for (const flush of this.#sealed.values()) flush.deltas = flush.deltas.filter(isKept);
    for (const [id, parts] of this.#arrived) {
      this.#arrived.set(
        id,
        parts.filter((part) => !isSelected(part)),
      );
    }
  }

  /** Call before the buffer's storage is deleted. Returns what counts from then on. */
  async orphan(): Promise<Part[][]> {
    for (const id of this.#sealed.keys()) if (!this.dropped.has(id)) this.#orphans.add(id);
    this.#arrived.clear();
    // A deletion of a lost storage could come late and delete newer calls. The model leaves that out.
    this.messages = this.messages.filter((message) => !message.includes('"deletion":'));
    return this.arrivedOrphans();
  }

  /** Flushes of lost storages that reached D1 since the last call. */
  async arrivedOrphans(): Promise<Part[][]> {
    if (this.#orphans.size === 0) return [];
    const ledgered = await this.ledgered();
    const fresh = [...this.#orphans].filter((id) => !this.#arrived.has(id) && ledgered.has(id));
    for (const id of fresh) this.#arrived.set(id, this.#sealed.get(id)!.deltas.map(partOf));
    return fresh.map((id) => this.#arrived.get(id)!);
  }

  /**
   * Call when D1 went back. Returns what counts no longer: flushes of lost storages that D1 lacks now. Their buffer cannot send
   * them again, and the model leaves out that the queue still has them. It also leaves out late copies of dropped flushes.
   */
  async forgetLost(): Promise<Part[][]> {
    const ledgered = await this.ledgered();
    const lost = [...this.#arrived].filter(([id]) => !ledgered.has(id));
    const gone = new Set([...this.dropped, ...lost.map(([id]) => id)]);
    for (const [id] of lost) {
      this.#arrived.delete(id);
      this.#orphans.delete(id);
    }
    this.messages = this.messages.filter((message) => {
      const { epoch, n } = JSON.parse(message) as Sealed;
      return !gone.has(`${epoch}:${n}`);
    });
    return lost.map(([, parts]) => parts);
  }

  /** Everything that this storage ever took, sealed or pending, without dropped flushes and without the one given. */
  async contentsBut(id: string): Promise<Part[][]> {
    const snapshot = await buffer().snapshot();
    if (snapshot.status !== "page" || snapshot.cursor)
      throw new Error("The snapshot has more than one page, which this model does not read.");
    const { epoch, sealed, pending } = snapshot;
    const contents = new Map<string, Delta[]>();
    for (const [sent, flush] of this.#sealed) if (flush.epoch === epoch) contents.set(sent, flush.deltas);
    for (const { n, deltas } of sealed) contents.set(`${epoch}:${n}`, JSON.parse(deltas) as Delta[]);
    for (const gone of [...this.dropped, id]) contents.delete(gone);
    const unsealed = pending.map((deltas) => JSON.parse(deltas) as Delta[]);
    return [...contents.values(), ...unsealed].map((deltas) => deltas.map(partOf));
  }

  /** The ids of all sent flushes that the ledger knows. */
  async ledgered(): Promise<Set<string>> {
    const [flushes, epochs] = await env.DB.batch<{ epoch: string; n: number; floor: number }>([
      env.DB.prepare("SELECT epoch, n FROM flushes"),
      env.DB.prepare("SELECT epoch, floor FROM epochs"),
    ]);
    const applied = new Set(flushes!.results.map(({ epoch, n }) => `${epoch}:${n}`));
    const floors = new Map(epochs!.results.map(({ epoch, floor }) => [epoch, floor]));
    const isKnown = ([id, { epoch, n }]: [string, Sealed]) => applied.has(id) || n < (floors.get(epoch) ?? 0);
    return new Set([...this.#sealed].filter(isKnown).map(([id]) => id));
  }
}

function partOf(delta: Delta): Part {
  return {
    ...delta,
    histogram: histogramOf(delta.buckets),
    function: `${delta.service}/${delta.function}`,
    failures: Object.fromEntries(delta.failures.map(({ name, calls }) => [name, calls])),
  };
}
