/** Asks the Worker that was just deployed for its health, and sends it a sample. Finds problems, and throws for none. */
import { randomUUID } from "node:crypto";
import { Failure } from "../failure.ts";
import { installation } from "../installation.ts";
import type { Output } from "../output.ts";
import { currentToken, type TokenEntry } from "../tokens/token-entry.ts";
import { awaitVersion, type Health, sendSample } from "./verify.ts";

export interface Checked {
  /** Null where this machine knows no token to read with, or the Worker does not answer. */
  health: Health | null;
  problems: string[];
}

export async function checkDeployed(
  url: string,
  tokens: readonly TokenEntry[],
  durationMs: number,
  versionId: string | undefined,
  output: Output,
): Promise<Checked> {
  const read = currentToken(tokens, "read") ?? currentToken(tokens, "admin");
  const ingest = currentToken(tokens, "ingest");
  if (!read || !ingest) {
    output.warn(
      "The Worker was not asked for its health: this machine does not know its tokens. They are where it was first deployed.",
    );
    return { health: null, problems: [] };
  }
  const problems: string[] = [];
  let health: Health | null = null;
  try {
    const answer = await output.step(`Asking ${url}/health`, () =>
      awaitVersion(url, read.value, installation.version),
    );
    health = answer.health;
    problems.push(...health.problems);
    const key = `deploy-${versionId ?? randomUUID()}`;
    await output.step("Sending one sample", () => sendSample(url, ingest.value, key, durationMs));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    problems.push(`${error.message} See: npx metrics-collector doctor`);
  }
  return { health, problems };
}
