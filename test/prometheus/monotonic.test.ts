import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { retain } from "../../src/retention/retain.ts";
import { acknowledged, buffer, deliver, get, letTimePass, ringAlarm, sentMessages } from "../worker.ts";

const DAY = 24 * 60 * 60 * 1000;

/** The value of every counter and histogram sample, by name and labels. */
async function counters(): Promise<Map<string, number>> {
  const text = await (await get("/metrics?format=prometheus")).text();
  const lines = text.split("\n").filter((line) => /_(total|bucket|sum|count)\{/.test(line));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]));
}

const steps = {
  post: (i: number) =>
    acknowledged([
      {
        function: "a",
        durationMs: (i * 37) % 400,
        at: Date.now() - (i % 3) * 20_000,
        ...(i % 4 === 0 ? { error: {} } : {}),
      },
      { function: `b${i % 3}`, durationMs: 4.99 + (i % 5) / 100 },
      { nonsense: i },
    ]),
  flush: async () => {
    await letTimePass();
    await ringAlarm();
  },
  deliver: async () => deliver(await sentMessages()),
  deliverTwice: async () => {
    const messages = await sentMessages();
    await deliver(messages);
    await deliver(messages.toReversed());
  },
  restart: () => evictDurableObject(buffer()),
  retain: () => retain(env, Date.now() + 3 * DAY),
  retainLater: () => retain(env, Date.now() + 500 * DAY),
};

it("shows counters that never go down, across flushes, restarts, evictions and retention jobs", async () => {
  const step = fc.constantFrom(...(Object.keys(steps) as (keyof typeof steps)[]));
  let i = 0;
  let before = await counters();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 10 }), async (names) => {
      for (const name of names) {
        await steps[name](i++);
        const after = await counters();
        for (const [sample, value] of before)
          expect([sample, after.get(sample)]).toSatisfy(([, now]) => now >= value);
        before = after;
      }
    }),
    { numRuns: 25 },
  );
}, 60_000);
