/**
 * Attacks the promise at random. In random histories of sends, faults and crashes, each acknowledged call is counted
 * exactly once: in every read, and at the end in D1 alone.
 *
 * `npm test` runs 500 histories and CI runs 2,000.
 *
 *   HISTORIES=100000 npm test -- --project stages test/model     more histories, and longer ones
 *   SEED=42 npm test -- --project stages test/model              the histories of that seed again
 */
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { knownHistories } from "./known.ts";
import { describeStep, history, longHistory, type Step } from "./step.ts";
import { emptyStorage } from "./storage.ts";
import { World } from "./world.ts";

const settings = env as unknown as { HISTORIES: string; SEED: string };
const HISTORIES = Number(settings.HISTORIES) || 500;
const SEED = Number(settings.SEED) || Math.floor(Math.random() * 2 ** 31);
/** How long a failing history is shrunk, in milliseconds. */
const SHRINK_MS = 60_000;

const { log, error } = console;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
  // Not a spy, which would keep all messages in memory.
  Object.assign(console, { log: () => {}, error: () => {} });
});

afterEach(() => {
  vi.useRealTimers();
  Object.assign(console, { log, error });
});

it(`holds in ${HISTORIES} random histories`, { timeout: 600_000 + HISTORIES * 1_000 }, async () => {
  let histories = 0;
  let failedAt: number | undefined;
  const property = fc.asyncProperty(
    HISTORIES > 2_000 ? fc.oneof(history, history, history, longHistory) : history,
    async (steps) => {
      if (failedAt !== undefined && performance.now() - failedAt > SHRINK_MS) return;
      histories++;
      await emptyStorage();
      try {
        await World.run(steps);
      } catch (error) {
        failedAt ??= performance.now();
        throw error;
      }
    },
  );
  const result = await fc.check(property, {
    seed: SEED,
    numRuns: HISTORIES,
    examples: knownHistories.map((steps): [Step[]] => [steps]),
  });
  log(`${histories} histories. Seed ${SEED}.`);
  if (result.failed) throw new Error(describeFailure(result));
  expect(histories).toBe(HISTORIES);
});

function describeFailure({
  counterexample,
  errorInstance,
  numRuns,
  numShrinks,
}: fc.RunDetails<[Step[]]>): string {
  const steps = (counterexample?.[0] ?? []).map(
    (step, i) => `${String(i + 1).padStart(3)}. ${describeStep(step)}`,
  );
  const { message } = errorInstance as Error;
  return `Seed ${SEED}, history ${numRuns}, shrunk ${numShrinks} times:\n${steps.join("\n")}\n\n${message}`;
}
