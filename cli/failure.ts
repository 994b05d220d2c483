/** An expected failure of a command: what happened, why, and what to do next. It is printed without a stack. */
import { EXIT, type ExitCode } from "./exit-codes.ts";

export class Failure extends Error {
  override name = "Failure";
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = EXIT.failed, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
