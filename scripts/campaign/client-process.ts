/** Starts a client process of the campaign, asks it for reports and ends it. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { PROJECT } from "../wrangler.ts";
import type { ClientOptions, ClientReport } from "./client.ts";

export class ClientProcess {
  readonly service: string;
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<ClientReport>>();
  #questions = 0;

  constructor(options: ClientOptions) {
    this.service = options.service;
    const script = options.kind === undefined ? "client.ts" : "otlp-client.ts";
    this.#process = fork(join(PROJECT, "scripts/campaign", script), [JSON.stringify(options)], {
      execArgv: ["--disable-warning=ExperimentalWarning"],
    });
    this.#process.on("message", ({ id, report }: { id: number; report: ClientReport }) => {
      this.#waiting.get(id)?.resolve(report);
      this.#waiting.delete(id);
    });
    this.#process.on("exit", () => {
      for (const { reject } of this.#waiting.values())
        reject(new Error(`The client process of ${this.service} exited too early.`));
    });
  }

  /** Asks for a report. With `stop`, the process makes no more calls. */
  ask({ stop = false } = {}): Promise<ClientReport> {
    const id = this.#questions++;
    const answer = Promise.withResolvers<ClientReport>();
    this.#waiting.set(id, answer);
    this.#process.send({ id, stop }, (error) => error && answer.reject(error));
    return answer.promise;
  }

  async end(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    this.#process.kill("SIGKILL");
    await once(this.#process, "exit");
  }
}
