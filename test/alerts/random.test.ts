/**
 * Random histories of functions that break and are mended, of a collector that dies before and after each of its writes, of D1
 * and the buffer being away, and of a receiver that fails in every way. At the end, each change of an alert has arrived at least once, once
 * after repeats are dropped by their id, and in order.
 */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import { Random } from "../../scripts/random.ts";
import { dbAway, envWith, failStatements, unreachableBuffers } from "../faults.ts";
import { carryToD1 } from "../worker.ts";
import { alarmTime, evict, list, minute, object, Receiver, ring, send, withWebhook } from "./follower.ts";

const HISTORIES = 6;
const MINUTES = 45;
const { SEED } = env as unknown as { SEED: string };
const seed = Number(SEED || 1);

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

interface Body {
  type: string;
  data: { firing: { id: string; firedAt: string }[]; resolved: { id: string; firedAt: string }[] };
}

/** A receiver that fails as real ones do. `taken` is what it has, repeats dropped. */
class FaultyReceiver {
  readonly receiver = new Receiver();
  readonly taken = new Map<string, Body>();
  readonly #random: Random;
  isFaulty = true;

  constructor(random: Random) {
    this.#random = random;
    this.receiver.answer = ({ headers, body }) => {
      const take = () => {
        const id = headers["webhook-id"]!;
        const known = this.taken.get(id);
        const parsed = JSON.parse(body) as Body;
        if (known) expect(parsed).toEqual(known);
        else this.taken.set(id, parsed);
      };
      const fate = this.isFaulty ? this.#random.below(6) : 0;
      // The first two do not take the message, the next two do and answer otherwise.
      if (fate === 1) return new Response("", { status: 500 });
      if (fate === 2) throw new TypeError("Network connection lost.");
      take();
      if (fate === 3) return new Response("", { status: 500 });
      if (fate === 4) throw new TypeError("Network connection lost.");
      return new Response();
    };
  }
}

/** Writes of an evaluation and of a delivery. If one fails, nothing after it happens, as if the object had died there. */
const WRITES = [
  "INSERT INTO outbox",
  "INTO alerts",
  "INTO hours",
  "DELETE FROM outbox",
  "UPDATE outbox",
  "INTO deliveries",
];

async function ringAndDie(random: Random): Promise<void> {
  const restore = await failStatements(random.pick(WRITES));
  try {
    await ring();
  } finally {
    restore();
  }
  await evict();
}

async function replaceEnv(replaced: Partial<Env>): Promise<void> {
  await runInDurableObject(object(), (instance) => {
    Reflect.set(instance, "env", envWith(replaced));
  });
}

/** @returns how many changes were compared */
async function run(random: Random): Promise<number> {
  const receiver = new FaultyReceiver(random);
  await withWebhook();
  await send("PUT", "/alerts/rules/errors", {
    kind: "threshold",
    figure: "errorRate",
    above: 0.5,
    window: "2m",
    for: `${random.below(3)}m`,
    keepFiringFor: `${random.below(3)}m`,
  });
  const broken = { pay: false, list: false, login: false };
  for (let number = 0; number < MINUTES; number++) {
    for (const name of Object.keys(broken) as (keyof typeof broken)[]) {
      if (random.chance(0.15)) broken[name] = !broken[name];
    }
    const calls = Object.entries(broken).map(([name, isBroken]) => ({
      function: name,
      service: name === "login" ? "bank" : "shop",
      errors: isBroken ? 60 : 0,
    }));
    const isAway = random.chance(0.1);
    if (isAway) await replaceEnv(random.chance(0.5) ? { DB: dbAway() } : { BUFFER: unreachableBuffers() });
    await minute(number, random.chance(0.3) ? () => ringAndDie(random) : ring, ...calls);
    if (isAway) await replaceEnv({});
    if (random.chance(0.2)) await evict();
    if (random.chance(0.1)) await carryToD1();
    if (random.chance(0.1)) number += random.below(8);
  }
  receiver.isFaulty = false;
  for (let i = 0; i < 40 && (await list()).waiting > 0; i++) {
    vi.setSystemTime(Math.max(Date.now() + 1_000, (await alarmTime()) ?? 0));
    await ring();
  }
  return compare(receiver);
}

async function compare(receiver: FaultyReceiver): Promise<number> {
  const { history, alerts, waiting } = await list();
  expect(waiting).toBe(0);
  const changes = history
    .filter(({ change }) => change === "fired" || change === "resolved")
    .map(({ change, alert, firedAt }) => `${change} ${alert} ${firedAt!.slice(0, 19)}Z`)
    .sort();
  const arrived: string[] = [];
  const firing = new Set<string>();
  for (const { data } of receiver.taken.values()) {
    for (const { id, firedAt } of data.resolved) {
      arrived.push(`resolved ${id} ${firedAt}`);
      // Its beginning has arrived before.
      expect(firing.delete(id)).toBe(true);
    }
    for (const { id, firedAt } of data.firing) {
      arrived.push(`fired ${id} ${firedAt}`);
      expect(firing.has(id)).toBe(false);
      firing.add(id);
    }
  }
  expect(arrived.sort()).toEqual(changes);
  const stillFiring = alerts.filter(({ state }) => state !== "pending").map(({ id }) => id);
  expect([...firing].sort()).toEqual(stillFiring.sort());
  return changes.length;
}

it.each(Array.from({ length: HISTORIES }, (_, i) => seed * 1_000 + i))(
  "every change of an alert arrives, and once after repeats are dropped (seed %i)",
  async (own) => {
    expect(await run(new Random(own))).toBeGreaterThan(0);
  },
);
