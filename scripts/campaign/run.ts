/**
 * Runs a campaign. Client processes send known calls through a faulty network to a server that is killed again and again.
 * When D1 has everything, it goes back to what it was after the first kill. At the end, D1 and the store of a sink
 * must have each call exactly once. The seed decides what goes wrong and when.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "../random.ts";
import { freePort, Server } from "../server.ts";
import { PROJECT } from "../wrangler.ts";
import { ClientProcess } from "./client-process.ts";
import { judge } from "./judge.ts";
import { type Fault, Proxy } from "./proxy.ts";
import { Reader } from "./reader.ts";
import { SinkStore } from "./sink-store.ts";
import { copyD1, makeFlushesDue, readRollups, readTotals, takeD1Back } from "./stored.ts";
import { type Tallies, totalCalls } from "./tally.ts";

export interface CampaignOptions {
  /** How long clients make calls and servers are killed. Starting and draining take additional time. */
  seconds: number;
  seed: number;
  /** The campaign continues until the server was killed at least this many times. */
  leastKills?: number;
  clients?: number;
  onProgress?: (progress: Progress) => void;
}

export interface Progress {
  phase: string;
  seconds: number;
  called: number;
  acknowledged: number;
  kills: number;
  reloads: number;
  faults: number;
  reads: number;
}

export interface Outcome {
  called: number;
  acknowledged: number;
  counted: number;
  kills: number;
  reloads: number;
  reads: number;
  /** Reads that got an answer other than 2xx. */
  readsRefused: number;
  /** Reads that got no answer. */
  readsUnanswered: number;
  faults: Partial<Record<Fault, number>>;
  duplicatesRefused: number;
  lost: number;
  doubled: number;
  /** One sentence for each difference. Empty if every call was counted once. */
  differences: string[];
}

/** These override `.dev.vars`, so the server needs no tokens. */
const VARS = {
  MAX_ITEMS: "20",
  MAX_WAITING_TIME: "1",
  OPEN_WITHOUT_TOKENS: "true",
  INGEST_TOKENS: "",
  READ_TOKENS: "",
  ADMIN_TOKENS: "",
};
/** One process of each sends by OTLP, besides the clients. */
const OTLP_KINDS = ["spans", "cumulative metrics"] as const;
/** How long a server runs before it is killed, from and to, in milliseconds. The first counts from its first answer. */
const LIFE_MS = [50, 2_500] as const;
const STILLBORN_MS = [200, 3_000] as const;
const STILLBORN_CHANCE = 0.35;
/** Only ends a campaign that hangs. */
const DRAINED_WITHIN_MS = 240_000;

export async function runCampaign(options: CampaignOptions): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), "metrics-collector-campaign-"));
  const campaign = new Campaign(options, folder);
  try {
    return await campaign.run();
  } finally {
    await campaign.end();
    await rm(folder, { recursive: true, force: true });
  }
}

class Campaign {
  readonly #options: CampaignOptions;
  readonly #random: Random;
  readonly #stateFolder: string;
  /** Path of the served file. The campaign writes it again to make `wrangler dev` reload. */
  readonly #entry: string;
  readonly #target = { port: 0 };
  #server: Server | undefined;
  #proxy: Proxy | undefined;
  #sinkStore: SinkStore | undefined;
  #clients: ClientProcess[] = [];
  #reader: Reader | undefined;
  #kills = 0;
  #reloads = 0;
  #startedAt = Date.now();

  constructor(options: CampaignOptions, folder: string) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#stateFolder = join(folder, "state");
    this.#entry = join(folder, "entry.ts");
  }

  async run(): Promise<Outcome> {
    const { seed, seconds, leastKills = 1, clients = 4 } = this.#options;
    this.#target.port = await freePort();
    await this.#writeEntry();
    await this.#startServer(false);
    this.#sinkStore = await SinkStore.start(new Random(seed - 1));
    await this.#putSink();
    const proxy = (this.#proxy = await Proxy.start(this.#target, new Random(seed + 1)));
    const { url } = proxy;
    this.#clients = Array.from(
      { length: clients },
      (_, i) => new ClientProcess({ url, service: `service-${i}`, seed: seed + 2 + i }),
    );
    for (const [i, kind] of OTLP_KINDS.entries()) {
      this.#clients.push(new ClientProcess({ url, service: `otlp-${i}`, seed: seed + 1_000 + i, kind }));
    }
    this.#reader = new Reader(`http://127.0.0.1:${this.#target.port}`, this.#clients).start();

    this.#startedAt = Date.now();
    while (Date.now() - this.#startedAt < seconds * 1000 || this.#kills < leastKills) {
      await this.#live();
      await this.#server!.kill();
      this.#kills++;
      if (this.#kills === 1) await copyD1(this.#stateFolder);
      while (this.#random.chance(STILLBORN_CHANCE)) await this.#killDuringStart();
      await this.#startServer(true);
      await this.#tell("attacking");
    }

    for (const client of this.#clients) await client.ask({ stop: true });
    proxy.isFaulty = false;
    await this.#until("delivering", async () =>
      (await this.#reports()).every(({ pending }) => pending === 0),
    );
    // Waits for delayed copies of batches, so that none arrives after the drain.
    await proxy.stop();
    await this.#reader.stop();
    await this.#drain();
    await takeD1Back(this.#stateFolder);
    await this.#drain();
    return this.#judge(proxy);
  }

  async end(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.end()));
    await this.#proxy?.stop();
    this.#sinkStore?.stop();
    await this.#server?.kill();
  }

  /** Sets up the sink, or ends its wait for the next attempt. */
  async #putSink(): Promise<void> {
    const response = await fetch(`${this.#server!.url}/sinks/copy`, {
      method: "PUT",
      body: JSON.stringify({ type: "webhook", url: this.#sinkStore!.url }),
    });
    if (!response.ok) throw new Error(`PUT /sinks/copy: ${response.status} ${await response.text()}`);
  }

  /** Whether the store of the sink has everything that D1 has. */
  async #isSinkCaughtUp(): Promise<boolean> {
    const response = await fetch(`${this.#server!.url}/sinks`);
    const { sinks } = (await response.json()) as { sinks: { state: string }[] };
    return sinks[0]?.state === "caught up";
  }

  async #killDuringStart(): Promise<void> {
    try {
      await this.#startServer(true, this.#random.between(...STILLBORN_MS));
      await this.#server!.kill();
    } catch {
      // The server did not answer in time, and `Server.start` killed it.
    }
    this.#kills++;
  }

  /** Lets the server run for a random time. Sometimes makes it reload in between. */
  async #live(): Promise<void> {
    const lifeMs = this.#random.between(...LIFE_MS);
    if (!this.#random.chance(0.4)) return sleep(lifeMs);
    const reloadAfterMs = this.#random.between(0, lifeMs);
    await sleep(reloadAfterMs);
    await this.#writeEntry();
    this.#reloads++;
    await sleep(lifeMs - reloadAfterMs);
  }

  async #writeEntry(): Promise<void> {
    const worker = JSON.stringify(join(PROJECT, "src/index.ts"));
    const code = `export * from ${worker};\nexport { default } from ${worker};\nconsole.log("entry ${this.#reloads}");\n`;
    await writeFile(this.#entry, code);
  }

  async #startServer(isMigrated: boolean, readyWithinMs?: number): Promise<void> {
    this.#server = await Server.start({
      stateFolder: this.#stateFolder,
      port: this.#target.port,
      vars: VARS,
      entry: this.#entry,
      isMigrated,
      ...(readyWithinMs === undefined ? {} : { readyWithinMs }),
    });
  }

  /** Restarts the server without faults and waits until everything is in D1. */
  async #drain(): Promise<void> {
    const isEmpty = async () => {
      const response = await fetch(`${this.#server!.url}/health`);
      const { bufferedBytes, unconfirmedFlushes } = (await response.json()) as Record<string, number>;
      return bufferedBytes === 0 && unconfirmedFlushes === 0;
    };
    await this.#server!.stop();
    await makeFlushesDue(this.#stateFolder);
    await this.#startServer(true);
    // The first answer has what D1 lost sent again.
    await isEmpty();
    // An empty batch makes the buffer check its alarm.
    await fetch(`${this.#server!.url}/samples`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": "drain" },
      body: '{"service":"campaign","samples":[]}',
    });
    await this.#until("draining", isEmpty);
    this.#sinkStore!.isFaulty = false;
    await this.#putSink();
    await this.#until("sending to the store", () => this.#isSinkCaughtUp());
    // Nothing disturbs this last read, so it must get an answer.
    const { reads } = this.#reader!;
    await this.#reader!.readOnce();
    if (this.#reader!.reads === reads) {
      throw new Error(`The last read got no answer. The server printed:\n${this.#server!.output}`);
    }
    await this.#server!.stop();
  }

  async #judge(proxy: Proxy): Promise<Outcome> {
    const reports = await this.#reports();
    const expected: Tallies = Object.assign({}, ...reports.map(({ called }) => called)) as Tallies;
    const rollups = await readRollups(this.#stateFolder);
    const reader = this.#reader!;
    const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);
    const judgement = judge({
      called: expected,
      rollups,
      totals: await readTotals(this.#stateFolder),
      sink: this.#sinkStore!.tallies(),
      dropped: sum(reports.map(({ dropped }) => dropped)),
      reader,
    });
    return {
      called: totalCalls(expected),
      acknowledged: sum(reports.map(({ acknowledged }) => acknowledged)),
      counted: totalCalls(rollups),
      kills: this.#kills,
      reloads: this.#reloads,
      reads: reader.reads,
      readsRefused: sum(Object.values(reader.refusals)),
      readsUnanswered: reader.unanswered,
      faults: proxy.faults,
      duplicatesRefused: proxy.duplicatesRefused,
      ...judgement,
    };
  }

  #reports() {
    return Promise.all(this.#clients.map((client) => client.ask()));
  }

  async #until(phase: string, isDone: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + DRAINED_WITHIN_MS;
    while (!(await isDone())) {
      if (Date.now() > deadline) {
        throw new Error(
          `The campaign is still ${phase} after ${DRAINED_WITHIN_MS / 1000} s. The server printed:\n${this.#server!.output}`,
        );
      }
      await this.#tell(phase);
      await sleep(200);
    }
  }

  async #tell(phase: string): Promise<void> {
    const { onProgress } = this.#options;
    if (!onProgress) return;
    const reports = await this.#reports();
    const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);
    onProgress({
      phase,
      seconds: (Date.now() - this.#startedAt) / 1000,
      called: sum(reports.map(({ called }) => totalCalls(called))),
      acknowledged: sum(reports.map(({ acknowledged }) => acknowledged)),
      kills: this.#kills,
      reloads: this.#reloads,
      faults: sum(Object.values(this.#proxy!.faults)),
      reads: this.#reader!.reads,
    });
  }
}
