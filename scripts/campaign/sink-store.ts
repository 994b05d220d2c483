/** The store of a sink: takes rows over HTTP as a webhook does, and often fails. Keeps of each row the highest version. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Random } from "../random.ts";
import type { Tallies } from "./tally.ts";

interface Row {
  service: string;
  function: string;
  start: number;
  seconds: number;
  part: string;
  version: number;
  calls: number;
  errors: number;
  unmeasured: number;
  sumMs: number;
  minMs: number | null;
  maxMs: number | null;
  histogram: Record<string, number>;
}

export class SinkStore {
  isFaulty = true;
  /** Requests that it took. */
  requests = 0;
  readonly #rows = new Map<string, Row>();
  readonly #random: Random;
  readonly #server: Server;

  private constructor(random: Random) {
    this.#random = random;
    this.#server = createServer((request, response) => {
      const pieces: Buffer[] = [];
      request.on("data", (piece: Buffer) => pieces.push(piece));
      request.on("end", () => {
        const dice = this.isFaulty ? this.#random.next() : 1;
        if (dice < 0.1) return void response.writeHead(503).end("busy");
        if (dice < 0.2) return void response.destroy();
        this.#take(JSON.parse(Buffer.concat(pieces).toString()) as { rows?: Row[] });
        // The rows are stored, and the sink does not learn it.
        if (dice < 0.3) return void response.destroy();
        response.writeHead(204).end();
      });
    });
  }

  static async start(random: Random): Promise<SinkStore> {
    const store = new SinkStore(random);
    await new Promise<void>((resolve) => void store.#server.listen(0, "127.0.0.1", resolve));
    return store;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** By "service function start", as the tallies of D1. */
  tallies(): Tallies {
    return Object.fromEntries(
      [...this.#rows].map(([key, { sumMs, ...row }]) => [key, { ...row, sumUs: Math.round(sumMs * 1000) }]),
    );
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #take({ rows = [] }: { rows?: Row[] }): void {
    this.requests++;
    for (const row of rows) {
      // A row of another length or a part has a key of its own, and is then a difference: a campaign is over within minutes.
      const other = row.seconds === 60 && row.part === "" ? "" : ` ${row.seconds} ${row.part}`;
      const key = `${row.service} ${row.function} ${row.start}${other}`;
      const known = this.#rows.get(key);
      if (!known || known.version <= row.version) this.#rows.set(key, row);
    }
  }
}
