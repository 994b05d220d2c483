/** Reads all the time: a counter never goes down, shows all that was acknowledged, and never more than was called. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ClientProcess } from "./client-process.ts";
import type { Tallies } from "./tally.ts";

interface Row {
  service: string;
  function: string;
  calls: number;
  errors: number;
}

export class Reader {
  reads = 0;
  readonly violations: string[] = [];
  readonly #clients: readonly ClientProcess[];
  readonly #last = new Map<string, Row>();
  #isReading = true;
  readonly #finished: Promise<void>;

  constructor(url: string, clients: readonly ClientProcess[]) {
    this.#clients = clients;
    this.#finished = this.#readOn(url);
  }

  async stop(): Promise<void> {
    this.#isReading = false;
    await this.#finished;
  }

  async #readOn(url: string): Promise<void> {
    while (this.#isReading) {
      const before = await Promise.all(this.#clients.map((client) => client.ask()));
      const rows = await read(url);
      if (rows) {
        const after = await Promise.all(this.#clients.map((client) => client.ask()));
        this.reads++;
        for (const [i, { service }] of this.#clients.entries()) {
          const ofService = rows.filter((row) => row.service === service);
          this.#checkAcknowledged(service, ofService, before[i]!.acknowledged);
          for (const row of ofService) this.#checkRow(row, after[i]!.called);
        }
      }
      await sleep(100);
    }
  }

  #checkAcknowledged(service: string, rows: readonly Row[], acknowledged: number): void {
    const calls = rows.reduce((sum, row) => sum + row.calls, 0);
    if (calls < acknowledged)
      this.#tell(`${service}: ${acknowledged} calls were acknowledged, ${calls} shown`);
  }

  #checkRow(row: Row, called: Tallies): void {
    const name = `${row.service} ${row.function}`;
    const sums = { calls: 0, errors: 0 };
    for (const [key, { calls, errors }] of Object.entries(called)) {
      if (!key.startsWith(`${name} `)) continue;
      sums.calls += calls;
      sums.errors += errors;
    }
    const last = this.#last.get(name);
    this.#last.set(name, row);
    for (const counter of ["calls", "errors"] as const) {
      if (row[counter] > sums[counter]) {
        this.#tell(`${name}: ${row[counter]} ${counter} shown, ${sums[counter]} made`);
      }
      if (last && row[counter] < last[counter]) {
        this.#tell(`${name}: ${counter} fell from ${last[counter]} to ${row[counter]}`);
      }
    }
  }

  #tell(violation: string): void {
    if (this.violations.length < 20) this.violations.push(violation);
  }
}

/** Undefined where there is no answer, since the server is dead or about to be. */
async function read(url: string): Promise<Row[] | undefined> {
  try {
    const response = await fetch(new URL("/metrics", url), { signal: AbortSignal.timeout(10_000) });
    if (!response.ok) return undefined;
    return ((await response.json()) as { functions: Row[] }).functions;
  } catch {
    return undefined;
  }
}
