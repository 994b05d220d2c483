/**
 * Prints progress to stderr and results to stdout. On a terminal every step shows; elsewhere only changes do, so that a
 * log in CI holds what happened and nothing else.
 */
import { createInterface } from "node:readline/promises";
import { EXIT } from "./exit-codes.ts";
import { Failure } from "./failure.ts";

export interface OutputOptions {
  /** Print one JSON document to stdout and nothing else there. */
  json: boolean;
  /** Take the default answer of every question. */
  yes: boolean;
}

export class Output {
  readonly json: boolean;
  /** Steps that changed something, in order. A failure lists them. */
  readonly done: string[] = [];
  /** The step that runs now. A failure names it as not done. */
  current: string | undefined;
  readonly #yes: boolean;

  constructor({ json, yes }: OutputOptions) {
    this.json = json;
    this.#yes = yes;
  }

  /** Questions are asked only where a person can read and answer them. */
  get isInteractive(): boolean {
    return isTerminal() && !this.#yes && !this.json;
  }

  /** Runs a step. Its name is what a failure says was not done; its result, if it is a text, what was. */
  async step<Result>(
    name: string,
    run: () => Promise<Result>,
    tell?: (result: Result) => string | undefined,
  ): Promise<Result> {
    this.current = name;
    const isShown = isTerminal();
    if (isShown) process.stderr.write(`… ${name}`);
    const clear = () => isShown && process.stderr.write("\r\u001B[2K");
    try {
      const result = await run();
      clear();
      const change = tell?.(result);
      if (change !== undefined) this.changed(change);
      else if (isShown) process.stderr.write(`✓ ${name}\n`);
      this.current = undefined;
      return result;
    } catch (error) {
      clear();
      throw error;
    }
  }

  /** Records and prints something that the command changed. */
  changed(what: string): void {
    this.done.push(what);
    process.stderr.write(`✓ ${what}\n`);
  }

  /** A result, for people. With `--json` it is left out. */
  print(text: string): void {
    if (!this.json) process.stdout.write(`${text}\n`);
  }

  /** The result, for programs. Without `--json` it is left out. */
  result(value: unknown): void {
    if (this.json) process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  warn(text: string): void {
    process.stderr.write(`! ${text}\n`);
  }

  /** Counts up in place on a terminal; silent elsewhere. */
  progress(text: string): void {
    if (isTerminal()) process.stderr.write(`\r\u001B[2K… ${text}`);
  }

  endProgress(): void {
    if (isTerminal()) process.stderr.write("\r\u001B[2K");
  }

  /** Asks for a line. @throws {Failure} "undecided" where nobody can be asked */
  async ask(question: string, otherwise: string): Promise<string> {
    if (!this.isInteractive) throw new Failure(otherwise, EXIT.undecided);
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return (await lines.question(`${question} `)).trim();
    } catch (error) {
      // Ctrl-C or Ctrl-D in place of an answer.
      throw new Failure(`\nNo answer was given. ${otherwise}`.trimEnd(), EXIT.interrupted, { cause: error });
    } finally {
      lines.close();
    }
  }

  async confirm(question: string, otherwise: string): Promise<boolean> {
    if (this.#yes) return true;
    return /^y(es)?$/i.test(await this.ask(`${question} [y/N]`, otherwise));
  }
}

function isTerminal(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY && !/^(1|true)$/i.test(process.env.CI ?? "");
}
