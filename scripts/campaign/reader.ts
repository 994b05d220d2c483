/**
 * Reads `GET /metrics` again and again during a campaign. It checks that no counter goes down, that each shows all
 * acknowledged calls, and that none shows more calls than were made.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ClientProcess } from "./client-process.ts";
import type { Tallies } from "./tally.ts";

/** One function in the answer to a read. */
export interface Row {
  service: string;
  function: string;
  calls: number;
  errors: number;
}

export class Reader {
  /** Reads that were answered and checked. */
  reads = 0;
  /** Number of answers other than 2xx, by status. */
  readonly refusals: Record<number, number> = {};
  /** Reads without an answer, because the server was not running or was killed. */
  unanswered = 0;
  readonly violations: string[] = [];
  readonly #url: string;
  readonly #clients: readonly Pick<ClientProcess, "service" | "ask">[];
  readonly #last = new Map<string, Row>();
  #isReading = true;
  #finished: Promise<void> | undefined;

  constructor(url: string, clients: readonly Pick<ClientProcess, "service" | "ask">[]) {
    this.#url = url;
    this.#clients = clients;
  }

  start(): this {
    this.#finished = this.#readOn();
    return this;
  }

  async stop(): Promise<void> {
    this.#isReading = false;
    await this.#finished;
  }

  /** Reads once and adds what is wrong to `violations`. */
  async readOnce(): Promise<void> {
    const before = await Promise.all(this.#clients.map((client) => client.ask()));
    const rows = await this.#read();
    if (!rows) return;
    const after = await Promise.all(this.#clients.map((client) => client.ask()));
    this.reads++;
    for (const [i, { service }] of this.#clients.entries()) {
      const ofService = rows.filter((row) => row.service === service);
      this.#checkAcknowledged(service, ofService, before[i]!.acknowledged);
      this.#checkGone(service, ofService);
      for (const row of ofService) this.#checkRow(row, after[i]!.called);
    }
  }

  async #readOn(): Promise<void> {
    while (this.#isReading) {
      await this.readOnce();
      await sleep(100);
    }
  }

  /** Undefined if there was no answer or an error. */
  async #read(): Promise<Row[] | undefined> {
    try {
      const response = await fetch(new URL("/metrics", this.#url), { signal: AbortSignal.timeout(10_000) });
      if (response.ok) return ((await response.json()) as { functions: Row[] }).functions;
      this.refusals[response.status] = (this.refusals[response.status] ?? 0) + 1;
      await response.body?.cancel();
    } catch {
      this.unanswered++;
    }
    return undefined;
  }

  #checkAcknowledged(service: string, rows: readonly Row[], acknowledged: number): void {
    const calls = rows.reduce((sum, row) => sum + row.calls, 0);
    if (calls < acknowledged)
      this.#tell(`${service}: ${acknowledged} calls were acknowledged, ${calls} shown`);
  }

  /** A function that disappears from the list counts as a counter that went down. */
  #checkGone(service: string, rows: readonly Row[]): void {
    for (const last of this.#last.values()) {
      const isShown = last.service !== service || rows.some((row) => row.function === last.function);
      if (!isShown) this.#tell(`${service} ${last.function}: no longer shown`);
    }
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
