/** Skips a test, and says so, if a program that it needs is not installed. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { TestContext } from "vitest";

/** `install` says how to get the program, such as a command. */
export async function needsProgram(context: TestContext, program: string, install: string): Promise<void> {
  // Not every program knows the option, so only a program that cannot be started is missing.
  const isThere = await promisify(execFile)(program, ["--version"]).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== "ENOENT",
  );
  const reason = `${program} is not installed (${install})`;
  // Not through console, because vitest hides the console output of skipped tests.
  if (!isThere) process.stderr.write(`Skipped "${context.task.name}": ${reason}.\n`);
  context.skip(!isThere, reason);
}
