/** What the buffer ever sealed: the queue as a list, in which nothing is lost for ever, and what each flush holds. */
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
  /** Every message that the buffer ever sent, the latest first. */
  messages: string[] = [];
  /** Those that somebody gave up. */
  readonly dropped = new Set<string>();
  /** By id, as it was first sent. */
  readonly #sealed = new Map<string, Sealed>();
  /** Of a storage that was lost: what of them reached D1 counts, whenever it does. */
  readonly #orphans = new Set<string>();
  readonly #arrived = new Map<string, Part[]>();

  /** What counts of the flushes of lost storages. */
  get orphans(): Part[][] {
    return [...this.#arrived.values()];
  }

  /** Keeps a message. An id means one flush for ever: another one would look applied. */
  take(message: string): void {
    const { epoch, n, deltas } = JSON.parse(message) as { epoch: string; n: number; deltas: Delta[] };
    const id = `${epoch}:${n}`;
    const first = this.#sealed.get(id);
    if (first && first.message !== message) throw new Error(`Flush ${n} was sent with two contents.`);
    this.#sealed.set(id, { epoch, n, deltas, message });
    this.messages = [message, ...this.messages.filter((other) => other !== message)];
  }

  /** The buffer's storage is about to be lost. Answers what counts from then on. */
  async orphan(): Promise<Part[][]> {
    for (const id of this.#sealed.keys()) if (!this.dropped.has(id)) this.#orphans.add(id);
    this.#arrived.clear();
    return this.arrivedOrphans();
  }

  /** What reached D1 of lost storages since this was last asked. */
  async arrivedOrphans(): Promise<Part[][]> {
    if (this.#orphans.size === 0) return [];
    const ledgered = await this.ledgered();
    const fresh = [...this.#orphans].filter((id) => !this.#arrived.has(id) && ledgered.has(id));
    for (const id of fresh) this.#arrived.set(id, this.#sealed.get(id)!.deltas.map(partOf));
    return fresh.map((id) => this.#arrived.get(id)!);
  }

  /** All that this storage ever took and that was not given up: what it sealed, and what it has not sealed yet. */
  async contentsBut(id: string): Promise<Part[][]> {
    const snapshot = await buffer().snapshot();
    if (snapshot.status !== "page" || snapshot.cursor) throw new Error("A snapshot of more than one page.");
    const { epoch, sealed, pending } = snapshot;
    const contents = new Map<string, Delta[]>();
    for (const [sent, flush] of this.#sealed) if (flush.epoch === epoch) contents.set(sent, flush.deltas);
    for (const { n, deltas } of sealed) contents.set(`${epoch}:${n}`, JSON.parse(deltas) as Delta[]);
    for (const gone of [...this.dropped, id]) contents.delete(gone);
    const unsealed = pending.map((deltas) => JSON.parse(deltas) as Delta[]);
    return [...contents.values(), ...unsealed].map((deltas) => deltas.map(partOf));
  }

  /** Those ever sent that the ledger knows. */
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
