/**
 * A shop whose calls reach a real store through a sink, while the collector and the store are killed at random. In the end each
 * minute must be the same in both.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, vi } from "vitest";
import { freePort, Server } from "../../../scripts/server.ts";
import { Random } from "../../../scripts/random.ts";

/** A store that can be started again on the same data. */
export interface Store {
  name: string;
  start: (
    folder: string,
    port: number,
  ) => { program: string; args: string[] } | Promise<{ program: string; args: string[] }>;
  /** Throws until the store answers. */
  ready: (url: string) => Promise<unknown>;
  /** Makes the tables. */
  prepare: (url: string) => Promise<void>;
  sink: (url: string) => object;
  /** Each row as it counts, without older versions. */
  read: (url: string) => Promise<StoredMinute[]>;
}

export interface StoredMinute {
  service: string;
  module: string;
  function: string;
  /** Epoch seconds. */
  start: number;
  calls: number;
  errors: number;
  unmeasured: number;
  sumUs: number;
  minMs: number | null;
  maxMs: number | null;
}

const FUNCTIONS = ["pay", "it's \\ odd, = 名", "Cart.add", "cpu"];
const ROUNDS = 12;

export async function runShop(store: Store, seed = Math.floor(Math.random() * 2 ** 31)): Promise<number> {
  const random = new Random(seed);
  const folder = await mkdtemp(join(tmpdir(), `metrics-collector-${store.name}-`));
  const storePort = await freePort();
  const url = `http://127.0.0.1:${storePort}`;
  const port = await freePort();
  const running: { store?: ChildProcess; server?: Server } = {};
  const startStore = async () => {
    const { program, args } = await store.start(join(folder, "store"), storePort);
    running.store = spawn(program, args, { stdio: "ignore" });
    await vi.waitFor(() => store.ready(url), { timeout: 60_000, interval: 200 });
  };
  const killStore = async () => {
    running.store!.kill("SIGKILL");
    await once(running.store!, "exit");
  };
  const startServer = async () => {
    const vars = { MAX_WAITING_TIME: "1" };
    running.server = await Server.start({ command: "dev", stateFolder: join(folder, "state"), port, vars });
  };
  try {
    await startStore();
    await store.prepare(url);
    await startServer();
    await post(running.server!.url, random);
    const response = await fetch(new URL("/sinks/copy", running.server!.url), {
      method: "PUT",
      body: JSON.stringify(store.sink(url)),
    });
    expect([response.status, await response.text()]).toEqual([200, '{"name":"copy"}']);
    for (let round = 0; round < ROUNDS; round++) {
      await post(running.server!.url, random);
      await sleep(random.below(1_500));
      if (round % 4 === 1) {
        await killStore();
        await post(running.server!.url, random);
        await sleep(random.below(3_000));
        await startStore();
      }
      if (round % 6 === 3) {
        await running.server!.kill();
        await startServer();
      }
    }
    const deleted = await fetch(new URL("/metrics/shop/cpu", running.server!.url), { method: "DELETE" });
    expect(deleted.status).toBe(200);
    await post(running.server!.url, random);
    return await vi.waitFor(() => compare(running.server!.url, url, store), {
      timeout: 180_000,
      interval: 2_000,
    });
  } catch (error) {
    throw new Error(`Seed ${seed}. ${(error as Error).message}\n${running.server?.output.slice(-3_000)}`, {
      cause: error,
    });
  } finally {
    running.store?.kill("SIGKILL");
    await running.server?.kill();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function post(server: string, random: Random): Promise<void> {
  const samples = Array.from({ length: 40 }, () => ({
    function: FUNCTIONS[random.below(FUNCTIONS.length)]!,
    module: random.below(2) === 0 ? "app/main" : "",
    durationMs: random.below(8) === 0 ? 0 : random.below(100_000) / 1000,
    at: Date.now() - random.below(3) * 60_000,
    ...(random.below(5) === 0 ? { error: { name: "E", message: "every fifth" } } : {}),
  }));
  const key = crypto.randomUUID();
  const send = async () => {
    const response = await fetch(new URL("/samples", server), {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": key },
      body: JSON.stringify({ service: "shop", samples }),
    });
    expect(response.status).toBe(202);
  };
  await vi.waitFor(send, { timeout: 60_000, interval: 300 });
}

/** Returns how many minutes are the same. */
async function compare(server: string, url: string, store: Store): Promise<number> {
  const expected = await readMinutes(server);
  const actual = Object.fromEntries(
    (await store.read(url)).map((row) => {
      const measured = row.calls - row.unmeasured;
      const average = measured > 0 ? row.sumUs / 1000 / measured : null;
      const { calls, errors, unmeasured, minMs, maxMs } = row;
      const at = new Date(row.start * 1000).toISOString();
      return [`${row.module}/${row.function} ${at}`, { calls, errors, unmeasured, average, minMs, maxMs }];
    }),
  );
  expect(actual).toEqual(expected);
  return Object.keys(expected).length;
}

interface Point {
  at: string;
  calls: number;
  errors: number;
  unmeasured: number;
  averageMs: number | null;
  minMs: number | null;
  maxMs: number | null;
}

/** Each minute with calls, by `GET /metrics/:service/:function`. */
async function readMinutes(server: string): Promise<Record<string, object>> {
  const minutes: Record<string, object> = {};
  for (const name of FUNCTIONS) {
    for (const module of ["", "app/main"]) {
      const path = `/metrics/shop/${encodeURIComponent(name)}?module=${encodeURIComponent(module)}&from=-30m&step=1m`;
      const response = await fetch(new URL(path, server));
      if (response.status === 404) continue;
      expect(response.status).toBe(200);
      const { series } = (await response.json()) as { series: Point[] };
      for (const { at, calls, errors, unmeasured, averageMs, minMs, maxMs } of series) {
        if (calls > 0) {
          minutes[`${module}/${name} ${new Date(at).toISOString()}`] = {
            calls,
            errors,
            unmeasured,
            // The answer is rounded to microseconds.
            average: near(averageMs, 2),
            // Some stores read a number in a way that is not exact in its last bit.
            minMs: near(minMs, 9),
            maxMs: near(maxMs, 9),
          };
        }
      }
    }
  }
  return minutes;
}

function near(value: number | null, digits: number): unknown {
  return value === null ? null : expect.closeTo(value, digits);
}
