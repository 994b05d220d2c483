/**
 * The promise, attacked at random: whatever happens in whatever order, each acknowledged call is counted exactly once,
 * in every read and at the end in D1 alone.
 *
 *   HISTORIES=20000 npm test -- --project stages test/model      longer than the half minute of `npm test`
 *   SEED=42 npm test -- --project stages test/model              the histories of that seed again
 */
import { applyD1Migrations, type D1Migration, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { knownHistories } from "./known.ts";
import { describeStep, history, type Step } from "./step.ts";
import { World } from "./world.ts";

const settings = env as unknown as { TEST_MIGRATIONS: D1Migration[]; HISTORIES: string; SEED: string };
const HISTORIES = Number(settings.HISTORIES) || undefined;
const SEED = Number(settings.SEED) || Math.floor(Math.random() * 2 ** 31);
const TIME_MS = 30_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
  for (const method of ["log", "error"] as const) vi.spyOn(console, method).mockImplementation(() => {});
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it("holds in random histories", { timeout: HISTORIES ? 24 * 3_600_000 : 120_000 }, async () => {
  const start = performance.now();
  let histories = 0;
  let hasFailed = false;
  const property = fc.asyncProperty(history, async (steps) => {
    // Once one has failed, the time is for shrinking it.
    if (!HISTORIES && !hasFailed && performance.now() - start > TIME_MS) return;
    histories++;
    await reset();
    await applyD1Migrations(env.DB, settings.TEST_MIGRATIONS);
    try {
      await World.run(steps);
    } catch (error) {
      hasFailed = true;
      throw error;
    }
  });
  const result = await fc.check(property, {
    seed: SEED,
    numRuns: HISTORIES ?? 5_000,
    examples: knownHistories.map((steps): [Step[]] => [steps]),
    ...(HISTORIES ? {} : { interruptAfterTimeLimit: 100_000, markInterruptAsFailure: false }),
  });
  vi.restoreAllMocks();
  console.log(`${histories} histories. Seed ${SEED}.`);
  if (result.failed) throw new Error(describeFailure(result));
  expect(histories).toBeGreaterThan(0);
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
