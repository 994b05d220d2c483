/** A sink in a history, and its store. Once the sink has caught up, the store must have what counts, in every day. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import { type RequestFate, Store, STORE_URL } from "../sinks/store.ts";
import { difference, type Part, tableOf } from "./counts.ts";

const DAY = 86_400;

export class SinkModel {
  #store: Store | undefined;

  async add(): Promise<void> {
    if (this.#store) return;
    this.#store = new Store();
    this.#store.open();
    await sink().configure("copy", { type: "webhook", url: STORE_URL });
  }

  async work(requests: readonly RequestFate[]): Promise<void> {
    if (!this.#store) return;
    this.#store.fates = [...requests];
    await runDurableObjectAlarm(sink());
    this.#store.fates = [];
  }

  async die(): Promise<void> {
    if (!this.#store) return;
    await sink().needs();
    await evictDurableObject(sink());
  }

  async remove(): Promise<void> {
    if (!this.#store) return;
    await sink().remove("copy");
    this.#forget();
  }

  /** Lets the sink send what D1 has, without faults. */
  async catchUp(): Promise<void> {
    if (!this.#store) return;
    // A sink that D1 does not know, because it went back in time, finds that out by itself within the hour.
    for (let i = 0; i < 60 && !(await isCaughtUp()); i++) await runDurableObjectAlarm(sink());
  }

  /** Lets the sink catch up, and compares. Nothing is in the buffer any more. */
  async compare(counted: readonly Part[]): Promise<void> {
    if (!this.#store) return;
    await this.catchUp();
    if (!(await isCaughtUp())) throw new Error("The sink does not catch up.");
    const byDay = (part: Part) => `${part.function} ${Math.floor(part.minute / DAY)}`;
    const text = difference(tableOf(this.#store.parts(), byDay), tableOf(counted, byDay));
    if (text !== "") throw new Error(`The store of the sink\n${text}`);
  }

  /** Removes what the next history must not find. */
  async end(): Promise<void> {
    if (!this.#store) return;
    await runInDurableObject(sink(), async (_, { storage }) => {
      await storage.deleteAlarm();
      await storage.deleteAll();
    });
    await evictDurableObject(sink());
    this.#forget();
  }

  #forget(): void {
    this.#store = undefined;
    vi.unstubAllGlobals();
  }
}

const sink = () => env.SINKS.getByName("copy");

async function isCaughtUp(): Promise<boolean> {
  const [status, head, entered] = await Promise.all([
    sink().status(),
    env.DB.prepare("SELECT coalesce(max(seq), 0) AS head FROM feed").first<number>("head"),
    env.DB.prepare("SELECT count(*) AS sinks FROM sinks").first<number>("sinks"),
  ]);
  return entered === 1 && status!.cursor === head && !status!.isBeginning && !status!.trouble;
}
