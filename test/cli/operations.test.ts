import { access, readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { checkClock } from "../../cli/doctor/checks.ts";
import { installation } from "../../cli/installation.ts";
import { ownMigrations } from "../../cli/migrations.ts";
import { StandIn } from "./cloudflare-api/stand-in.ts";
import { PERMISSIONS } from "./cloudflare-api/state.ts";
import { expectExit, Machine } from "./run.ts";

const NAME = "metrics-collector";
const DEPLOY = "npx metrics-collector deploy";
let cloud: StandIn;
let machine: Machine;
beforeAll(async () => {
  cloud = await StandIn.start();
  machine = await Machine.start(cloud);
  expectExit(await deploy(), 0);
});
afterEach(() => {
  cloud.usage = { rowsRead: 0, rowsWritten: 0 };
  cloud.tokens.set("good", { permissions: PERMISSIONS, accounts: [cloud.account.id] });
  cloud.fault = () => undefined;
});
afterAll(async () => {
  await machine.remove();
  await cloud.stop();
});

// It keeps no flush, so that what D1 loses is lost.
const deploy = () =>
  machine.run([
    "deploy",
    "--url",
    cloud.urlOf(NAME),
    "--var",
    "MAX_WAITING_TIME=1",
    "--var",
    "KEEP_FLUSHES_HOURS=0",
  ]);

interface Findings {
  ok: boolean;
  findings: { check: string; ok: boolean | null; says: string; repair?: string }[];
}
const doctor = async (code: number): Promise<Findings> => {
  const ran = await machine.run(["doctor", "--json"]);
  expectExit(ran, code);
  return JSON.parse(ran.stdout) as Findings;
};
const problems = ({ findings }: Findings) => findings.filter(({ ok }) => ok === false);

describe("status", () => {
  it("shows versions, health, size and the bill, and what it could not read", async () => {
    cloud.usage = { rowsRead: 2_000_000, rowsWritten: 1_500_000 };
    const ran = await machine.run(["status"]);
    expectExit(ran, 0);
    expect(ran.stdout).toMatch(
      new RegExp(`^Version +${installation.version.replaceAll(".", "\\.")}, deployed 20`, "m"),
    );
    expect(ran.stdout).toMatch(/^Health +well$/m);
    expect(ran.stdout).toMatch(/^Size +0\.\d MB, 0\.\d+ % of the Free plan's 500 MB$/m);
    expect(ran.stdout).toMatch(
      /^Last 30 days +1,500,000 rows written, 2,000,000 read: \$1\.50 for D1 at list price, nothing on the Free plan$/m,
    );
    cloud.tokens.set("good", {
      permissions: ["Workers Scripts Edit", "D1 Edit", "Queues Edit", "Account Settings Read"],
      accounts: [cloud.account.id],
    });
    const less = await machine.run(["status"]);
    expectExit(less, 0);
    expect(less.stdout).toMatch(/^Unknown .* A token needs "Account Analytics Read" for them\.$/m);
  });

  it("says that nothing is deployed under a name", async () => {
    const ran = await machine.run(["status", "--name", "other"]);
    expectExit(ran, 1);
    expect(ran.stderr).toContain("other is not deployed in this account. Deploy it");
  });
});

describe("doctor", () => {
  it("finds nothing after a deployment", async () => {
    expect(problems(await doctor(0))).toEqual([]);
  });

  it("finds what is missing, and the command that it names repairs it", async () => {
    const { scripts, queues } = cloud.account;
    const script = scripts.get(NAME)!;
    script.secrets.delete("ADMIN_TOKENS");
    script.crons = [];
    queues.find(({ queue_name: name }) => name === `${NAME}-flushes`)!.consumers = [];
    expect(problems(await doctor(5))).toMatchObject([
      {
        check: "secrets",
        says: expect.stringContaining("ADMIN_TOKENS is not set") as string,
        repair: DEPLOY,
      },
      { check: "queue", says: expect.stringContaining("-flushes has no consumer") as string, repair: DEPLOY },
      { check: "cron", repair: DEPLOY },
    ]);
    expectExit(await deploy(), 0);
    expect(problems(await doctor(0))).toEqual([]);
  });

  it("finds a migration that is missing", async () => {
    const last = (await ownMigrations()).at(-1)!;
    const db = await cloud.database(cloud.account.databases[0]!.uuid);
    await db.prepare("DELETE FROM d1_migrations WHERE name = ?").bind(last).run();
    expect(problems(await doctor(5))).toMatchObject([
      { check: "migrations", says: `The database lacks ${last}.`, repair: DEPLOY },
    ]);
    await db.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(last).run();
  });

  it("finds a clock that is wrong", () => {
    expect(checkClock(500).ok).toBe(true);
    expect(checkClock(-120_000)).toMatchObject({
      ok: false,
      says: expect.stringContaining("120 s behind") as string,
    });
    expect(checkClock(null).ok).toBeNull();
  });

  it("finds a Worker that does not know this machine's tokens", async () => {
    const { secrets } = cloud.account.scripts.get(NAME)!;
    const own = secrets.get("READ_TOKENS")!;
    secrets.set("READ_TOKENS", "another");
    expect(problems(await doctor(5))).toMatchObject([
      { check: "tokens", repair: "npx metrics-collector tokens rotate read --replace" },
    ]);
    secrets.set("READ_TOKENS", own);
  });

  it("warns when a limit of the Free plan is near", async () => {
    cloud.usage = { rowsRead: 0, rowsWritten: 90_000 };
    expect(problems(await doctor(5))).toMatchObject([
      { says: expect.stringContaining("90,000 rows written today") as string },
    ]);
  });
});

describe("repair", () => {
  it("tells what is lost and what can be done, and gives it up only if told to", async () => {
    expectExit(await machine.run(["backup", "first.backup", "--wait"]), 0);
    const whole = await machine.run(["repair"]);
    expectExit(whole, 0);
    expect(whole.stdout).toContain("The database has everything that it confirmed.");
    const db = await cloud.database(cloud.account.databases[0]!.uuid);
    await db.batch(["flushes", "epochs"].map((table) => db.prepare(`DELETE FROM ${table}`)));
    const lost = await machine.run(["repair"]);
    expectExit(lost, 5);
    expect(lost.stdout).toMatch(/^\d+ flush(es)? are in neither the database nor the buffer/m);
    expect(lost.stdout).toContain("npx metrics-collector repair --accept-loss");
    const unsaid = await machine.run(["repair", "--accept-loss"]);
    expectExit(unsaid, 4);
    const accepted = await machine.run(["repair", "--accept-loss", "--yes"]);
    expectExit(accepted, 0);
    expect(accepted.stdout).toContain("are given up");
    expectExit(await machine.run(["repair"]), 0);
  });
});

describe("destroy", () => {
  it("off a terminal deletes nothing until the name is given, then everything that is ours", async () => {
    // Those of somebody else stay.
    cloud.account.queues.push({ queue_id: "other", queue_name: "other", consumers: [] });
    cloud.account.databases.push({ uuid: "other", name: "other" });
    const before = cloud.snapshot();
    for (const args of [[], ["--confirm", "metrics"]]) {
      const refused = await machine.run(["destroy", ...args]);
      expectExit(refused, 4);
      expect(refused.stderr).toContain(
        `Nothing was deleted. Type the name ${NAME}, or give it: --confirm ${NAME}`,
      );
    }
    expect(cloud.snapshot()).toEqual(before);
    const ran = await machine.run(["destroy", "--confirm", NAME, "--backup", "last.backup"]);
    expectExit(ran, 0);
    // The calls of its deployments were in the buffer.
    expect(ran.stderr).toContain("last.backup holds 1 function and");
    await access(join(machine.home, "last.backup"));
    expect(cloud.account.databases.map(({ name }) => name)).toEqual(["other"]);
    expect(cloud.account.queues.map(({ queue_name: name }) => name)).toEqual(["other"]);
    expect([...cloud.account.scripts.keys()]).toEqual([]);
    expect(await readdir(join(machine.home, ".config/metrics-collector", cloud.account.id))).toEqual([]);
    const again = await machine.run(["destroy", "--confirm", NAME]);
    expectExit(again, 0);
    expect(again.stdout).toContain(`There is nothing named ${NAME}`);
  });

  it("killed at any deletion, deletes the rest when it is run again", async () => {
    cloud.reset();
    expectExit(await deploy(), 0);
    let runs = 0;
    let isKilled: boolean;
    do {
      isKilled = false;
      cloud.fault = ({ method }) => {
        if (method !== "DELETE") return undefined;
        isKilled = true;
        machine.kill();
        return { cut: "after" };
      };
      const ran = await machine.run(["destroy", "--confirm", NAME]);
      expectExit(ran, isKilled ? null : 0);
      runs++;
    } while (isKilled);
    // Two consumers, the Worker, two queues, the database, and nothing in the last run.
    expect(runs).toBe(7);
    expect(cloud.account.databases).toEqual([]);
    expect(cloud.account.queues).toEqual([]);
    expect(cloud.account.scripts.size).toBe(0);
  });
});
