import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NOT_BACKED_UP, TABLES } from "../../cli/backup/format.ts";
import { type Call, StandIn } from "./cloudflare-api/stand-in.ts";
import { expectExit, Machine } from "./run.ts";

const FIRST = "metrics-collector";
const FILE = "all.backup";
let cloud: StandIn;
let machine: Machine;

beforeAll(async () => {
  cloud = await StandIn.start();
  machine = await Machine.start(cloud);
  await deploy(FIRST);
  await send(FIRST, 40);
  await stored(FIRST);
  await leaveLeftovers(FIRST, 300);
  await closeHours(FIRST);
  expectExit(await backup(), 0);
});
afterAll(async () => {
  await machine.remove();
  await cloud.stop();
});

const backup = (file = FILE) => machine.run(["backup", file, "--json"]);
const restore = (name: string, ...args: string[]) => machine.run(["restore", FILE, "--name", name, ...args]);

async function deploy(name: string): Promise<void> {
  const url = cloud.urlOf(name);
  expectExit(await machine.run(["deploy", "--name", name, "--url", url, "--var", "MAX_WAITING_TIME=1"]), 0);
}

/** Calls of several functions, over an hour, some of which fail. */
async function send(name: string, calls: number): Promise<void> {
  const { ingest } = await machine.tokens(name);
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${ingest}` };
  const samples = Array.from({ length: calls }, (_, i) => ({
    function: `work ${i % 7}`,
    module: i % 2 === 0 ? "" : "app",
    durationMs: (i % 5) * 1.7,
    at: Date.now() - (i % 60) * 60_000,
    ...(i % 4 === 0 ? { error: { name: "Error", message: `no. ${i % 3}` } } : {}),
  }));
  const body = JSON.stringify({ service: "shop", samples });
  expect((await fetch(`${cloud.urlOf(name)}/samples`, { method: "POST", headers, body })).status).toBe(202);
}

async function read<Answer>(name: string, path: string): Promise<Answer> {
  const { read: token } = await machine.tokens(name);
  const response = await fetch(cloud.urlOf(name) + path, { headers: { Authorization: `Bearer ${token}` } });
  return (await response.json()) as Answer;
}

/** Waits until D1 has all that was sent. */
async function stored(name: string): Promise<void> {
  while (true) {
    const health = await read<Record<string, number>>(name, "/health");
    if (health["bufferedSamples"] === 0 && health["unconfirmedFlushes"] === 0) return;
    await sleep(200);
  }
}

interface Listing {
  functions: { service: string; calls: number }[];
}
const shop = async (name: string) =>
  (await read<Listing>(name, "/metrics")).functions.filter(({ service }) => service === "shop");
const callsOf = (functions: Listing["functions"]) => functions.reduce((sum, { calls }) => sum + calls, 0);

const queryOf = ({ sender, path }: Call) => sender === "metrics-collector" && path.endsWith("/query");

/** A function that was deleted, and whose history the hourly job has not deleted yet. */
async function leaveLeftovers(name: string, id: number): Promise<void> {
  const { uuid } = cloud.account.databases.find((database) => database.name === name)!;
  const db = await cloud.database(uuid);
  await db.batch([
    db.prepare("INSERT INTO deleted_functions (function_id) VALUES (?1)").bind(id),
    db
      .prepare(
        `INSERT INTO rollups (function_id, width, start, calls, errors, unmeasured, sum_us, histogram)
         VALUES (?1, 60, 60, 5, 0, 5, 0, '{}')`,
      )
      .bind(id),
    db
      .prepare(
        "INSERT INTO failures (function_id, name, message, calls, first_seen, last_seen) VALUES (?1, '', '', 1, 1, 1)",
      )
      .bind(id),
  ]);
}

type Closed = Record<"until" | "next" | "upto", number>;
type CloseRollups = (
  db: object,
  tier: "hours",
  state: Closed,
  target: number,
  limit: number,
) => Promise<Closed>;

/** Adds minutes up into hours, as the hourly job does. Both stand in the database then. */
async function closeHours(name: string): Promise<void> {
  const { uuid } = cloud.account.databases.find((database) => database.name === name)!;
  const db = await cloud.database(uuid);
  // Imported by its path, because this program does not know the types of Workers.
  const path = new URL("../../src/store/close-rollups.ts", import.meta.url).href;
  const { closeRollups } = (await import(path)) as { closeRollups: CloseRollups };
  const target = Math.floor(Date.now() / 3_600_000) * 3_600;
  let state: Closed = { until: 0, next: 0, upto: 0 };
  while (state.until < target) state = await closeRollups(db, "hours", state, target, 20_000);
}

describe("restore", () => {
  it("killed at each chunk, ends with what was backed up: totals, quantiles, series, failures, search", async () => {
    await deploy("second");
    let kills = 0;
    let isKilled: boolean;
    do {
      isKilled = false;
      cloud.fault = (call) => {
        if (!queryOf(call) || !call.body.includes("INSERT INTO")) return undefined;
        isKilled = true;
        machine.kill();
        // Each chunk twice: the first time it does not arrive, the second time its answer does not.
        return { cut: kills % 2 === 0 ? "before" : "after" };
      };
      expectExit(await restore("second"), isKilled ? null : 0);
      if (isKilled) kills++;
    } while (isKilled);
    cloud.fault = () => undefined;
    // Flushes, functions, rollups, failures, and the entry that says that all are in.
    expect(kills).toBe(10);
    // A range that is over, so that both answers are of the same one.
    const end = Date.now() - 120_000;
    expect(await shop("second")).toEqual(await shop(FIRST));
    expect(callsOf(await shop("second"))).toBe(40);
    for (const path of [
      `/metrics/shop/work%201?module=app&from=${end - 7_200_000}&to=${end}&step=60`,
      "/metrics/shop/work%204/histogram?module=",
      "/search?q=no.",
    ]) {
      expect(await read("second", path)).toEqual(await read(FIRST, path));
    }
  });

  it("restores once, however often it is told to", async () => {
    const before = await shop("second");
    const ran = await restore("second");
    expectExit(ran, 0);
    expect(ran.stdout).toContain("was restored here before. Nothing changed.");
    expectExit(await restore("second", "--merge"), 0);
    expect(await shop("second")).toEqual(before);
  });

  it("adds to what is there with --merge only, once", async () => {
    await deploy("third");
    await send("third", 10);
    await stored("third");
    await leaveLeftovers("third", 500);
    const refused = await restore("third");
    expectExit(refused, 4);
    expect(refused.stderr).toContain("--merge adds it to what is there");
    expectExit(await restore("third", "--merge"), 0);
    expect(callsOf(await shop("third"))).toBe(50);
    expectExit(await restore("third", "--merge"), 0);
    expect(callsOf(await shop("third"))).toBe(50);
    const { uuid } = cloud.account.databases.find(({ name }) => name === "third")!;
    const db = await cloud.database(uuid);
    const { results } = await db.prepare("SELECT count(*) AS n FROM functions WHERE id = 500").all();
    // Its history would count as that of whichever function got its id.
    expect(results).toEqual([{ n: 0 }]);
  });

  it("does not merge a backup into the collector that it is of", async () => {
    const ran = await restore(FIRST, "--merge");
    expectExit(ran, 4);
    expect(ran.stderr).toContain("is a backup of this same collector");
    expect(callsOf(await shop(FIRST))).toBe(40);
  });

  it("refuses a file that was changed, is cut off, or is no backup, before it writes anything", async () => {
    const path = join(machine.home, "bad.backup");
    const whole = await readFile(join(machine.home, FILE));
    const flipped = Buffer.from(whole);
    flipped[flipped.length - 20]! ^= 1;
    for (const bytes of [whole.subarray(0, whole.length - 30), flipped, Buffer.from("hello")]) {
      await writeFile(path, bytes);
      const calls = cloud.calls.length;
      const ran = await machine.run(["restore", "bad.backup", "--name", "second"]);
      expectExit(ran, 1);
      expect(ran.stderr).toContain("bad.backup is not a whole backup");
      expect(cloud.calls.slice(calls).filter((call) => queryOf(call) && call.n > calls + 12)).toEqual([]);
    }
  });
});

describe("backup", () => {
  it("knows every table of the database, so that a new one is not forgotten", async () => {
    const db = await cloud.database(cloud.account.databases[0]!.uuid);
    const { results } = await db
      .prepare(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'search_*' AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '_cf_*'",
      )
      .all<{ name: string }>();
    expect(results.map(({ name }) => name).sort()).toEqual(
      [...TABLES, ...NOT_BACKED_UP, "d1_migrations"].sort(),
    );
  });

  it("starts over when the database changes while it is read, and says when it never held still", async () => {
    const db = await cloud.database(cloud.account.databases[0]!.uuid);
    let left = 1;
    let n = 0;
    cloud.fault = async (call) => {
      if (!queryOf(call) || left-- <= 0) return undefined;
      await db.prepare("INSERT INTO flushes (epoch, n, applied_at) VALUES ('other', ?, 1)").bind(n++).run();
      return undefined;
    };
    // The first two queries read which migrations are applied; the change comes between two pages.
    left = 5;
    const once = await backup("once.backup");
    expectExit(once, 0);
    // Cloudflare's own export refuses a database with full-text search.
    expect(cloud.calls.filter(({ path }) => path.includes("/export"))).toEqual([]);
    expect(JSON.parse(once.stdout)).toMatchObject({ isConsistent: true });
    left = Infinity;
    const never = await backup("never.backup");
    expectExit(never, 5);
    expect(JSON.parse(never.stdout)).toMatchObject({ isConsistent: false });
    cloud.fault = () => undefined;
  });
});
