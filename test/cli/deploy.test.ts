import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { installation } from "../../cli/installation.ts";
import { ownMigrations } from "../../cli/migrations.ts";
import { cloud, deploy, machine, NAME } from "./fresh.ts";
import { expectExit, Machine } from "./run.ts";

const migrations = await ownMigrations();
const bound = (name: string, binding: string) =>
  cloud.account.scripts.get(name)!.version!.bindings.find((other) => other.name === binding);

async function callsSeen(name = NAME): Promise<number> {
  const { read } = await machine.tokens(name);
  const response = await fetch(`${cloud.urlOf(name)}/metrics`, {
    headers: { Authorization: `Bearer ${read}` },
  });
  const { functions } = (await response.json()) as { functions: { function: string; calls: number }[] };
  return functions.find((found) => found.function === "deploy")?.calls ?? 0;
}

/** As if the last migration had never been applied, which only made these. */
const LAST = migrations.at(-1)!;
async function becomeOlder() {
  const db = await cloud.database(cloud.account.databases[0]!.uuid);
  const made = await readFile(join(installation.migrations, LAST), "utf8");
  for (const [, kind, name] of made.matchAll(/^CREATE (TABLE|TRIGGER|INDEX|VIEW) `(\w+)`/gm)) {
    await db.prepare(`DROP ${kind} ${name}`).run();
  }
  await db.prepare("DELETE FROM d1_migrations WHERE name = ?").bind(LAST).run();
  return db;
}

describe("the first deployment", () => {
  it("creates everything, sets three secrets, and the Worker counts its sample", async () => {
    const ran = await deploy("--show-tokens");
    expectExit(ran, 0);
    const { databases, queues, scripts } = cloud.account;
    expect(databases.map(({ name }) => name)).toEqual([NAME]);
    expect(queues.map(({ queue_name: name }) => name)).toEqual([`${NAME}-dead-letters`, `${NAME}-flushes`]);
    for (const { consumers } of queues) expect(consumers.map(({ script }) => script)).toEqual([NAME]);
    expect([...scripts.keys()]).toEqual([NAME]);
    const { secrets, crons, version } = scripts.get(NAME)!;
    expect([...secrets.keys()].sort()).toEqual(["ADMIN_TOKENS", "INGEST_TOKENS", "READ_TOKENS"]);
    expect(new Set(secrets.values()).size).toBe(3);
    expect(crons).toEqual(["17 * * * *"]);
    expect(version!.annotations["workers/tag"]).toBe(`v${installation.version}`);
    expect(bound(NAME, "DB")!["id"]).toBe(databases[0]!.uuid);
    expect(await callsSeen()).toBe(1);
    const tokens = await machine.tokens();
    expect(ran.stdout).toContain(
      `createMetricsCollector({ url: "${cloud.urlOf(NAME)}", service: "my-service", token: "${tokens.ingest}" })`,
    );
    expect(ran.stdout).toContain(`Dashboard  ${cloud.urlOf(NAME)}/`);
  });

  it("hides the tokens where stdout may be a log, and --json holds all of it", async () => {
    const ran = await deploy();
    expectExit(ran, 0);
    for (const token of Object.values(await machine.tokens()))
      expect(ran.stdout + ran.stderr).not.toContain(token);
    const again = await deploy("--json");
    expect(JSON.parse(again.stdout)).toMatchObject({
      name: NAME,
      version: installation.version,
      isFirst: false,
      tokens: await machine.tokens(),
      problems: [],
      health: { status: "ok" },
    });
  });

  it("takes tokens of the environment, so that CI can keep them", async () => {
    const env = { INGEST_TOKENS: "shop=for-shop,for-all", READ_TOKENS: "reader", ADMIN_TOKENS: "admin" };
    const ran = await machine.run(["deploy", "--url", cloud.urlOf(NAME)], { env });
    expectExit(ran, 0);
    expect(Object.fromEntries(cloud.account.scripts.get(NAME)!.secrets)).toEqual(env);
  });
});

describe("the next deployment", () => {
  it("upgrades in place: the same database, queues, tokens and data", async () => {
    expectExit(await deploy(), 0);
    const { databases, queues, scripts } = structuredClone(cloud.account);
    const ran = await deploy();
    expectExit(ran, 0);
    expect(ran.stderr).toBe(`✓ Worker ${NAME}, version ${installation.version}, is deployed\n`);
    expect(ran.stdout).toMatch(/Time Travel bookmark [0-9a-f]{48}/);
    expect(cloud.account.databases).toEqual(databases);
    expect(cloud.account.queues).toEqual(queues);
    expect(cloud.account.scripts.get(NAME)!.secrets).toEqual(scripts.get(NAME)!.secrets);
    expect(cloud.account.scripts.get(NAME)!.version!.id).not.toBe(scripts.get(NAME)!.version!.id);
    expect(await callsSeen()).toBe(2);
  });

  it("applies a migration that an older version did not have, before it uploads", async () => {
    expectExit(await deploy(), 0);
    await becomeOlder();
    cloud.calls = [];
    const ran = await deploy();
    expectExit(ran, 0);
    expect(ran.stderr).toContain(`✓ 1 migration applied: ${LAST}\n`);
    const migrated = cloud.calls.find(({ path, body }) => path.endsWith("/query") && body.includes(LAST))!;
    const uploaded = cloud.calls.find(
      ({ method, path }) => method === "PUT" && path === `/workers/scripts/${NAME}`,
    )!;
    expect(migrated.n).toBeLessThan(uploaded.n);
    const db = await cloud.database(cloud.account.databases[0]!.uuid);
    const { results } = await db.prepare("SELECT name FROM d1_migrations ORDER BY id").all();
    expect(results.map(({ name }) => name)).toEqual(migrations);
  });

  it("leaves the old version running where a migration fails", async () => {
    expectExit(await deploy(), 0);
    const db = await becomeOlder();
    const [, name] = /^CREATE TABLE `(\w+)`/m.exec(
      await readFile(join(installation.migrations, LAST), "utf8"),
    )!;
    await db.prepare(`CREATE TABLE ${name} (a)`).run();
    const before = cloud.account.scripts.get(NAME)!.version!.id;
    const ran = await deploy();
    expectExit(ran, 1);
    expect(ran.stderr).toContain("The database's migrations were not all applied.");
    expect(ran.stderr).toMatch(/table \S+ already exists/);
    expect(ran.stderr).toContain("Not done: Applying migrations");
    expect(cloud.account.scripts.get(NAME)!.version!.id).toBe(before);
  });

  it("says that it goes back, where the database is of a newer version", async () => {
    expectExit(await deploy(), 0);
    const db = await cloud.database(cloud.account.databases[0]!.uuid);
    await db.prepare("INSERT INTO d1_migrations (name) VALUES ('9999_newer.sql')").run();
    const ran = await deploy();
    expectExit(ran, 0);
    expect(ran.stderr).toContain(
      "a newer version (9999_newer.sql): this deployment goes back to an older one",
    );
  });

  it("interrupted by Ctrl-C, says what was done and that it may be run again", async () => {
    cloud.fault = ({ method, path }) => {
      if (method !== "POST" || path !== "/d1/database") return undefined;
      machine.interrupt();
      return { delayMs: 500 };
    };
    const ran = await deploy();
    expectExit(ran, 130);
    expect(ran.stderr).toContain(
      `Interrupted.\nDone before this: \n  ✓ Queue ${NAME}-dead-letters is created`,
    );
    expect(ran.stderr).toContain(`Not done: Creating the D1 database ${NAME}`);
    expect(ran.stderr).toContain("Running the same command again is safe");
  });

  it("from another machine, keeps the secrets and says that it does not know them", async () => {
    expectExit(await deploy(), 0);
    const before = new Map(cloud.account.scripts.get(NAME)!.secrets);
    const other = await Machine.start(cloud);
    try {
      const ran = await other.run(["deploy", "--url", cloud.urlOf(NAME)]);
      expectExit(ran, 0);
      expect(ran.stderr).toContain("this machine does not know its tokens");
    } finally {
      await other.remove();
    }
    expect(cloud.account.scripts.get(NAME)!.secrets).toEqual(before);
  });
});

describe("--dry-run", () => {
  it("says what it would create and change, and touches nothing", async () => {
    const before = cloud.snapshot();
    const first = await deploy("--dry-run");
    expectExit(first, 0);
    expect(first.stdout).toMatchInlineSnapshot(`
      "In account aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, deploy would

      create:
        queue metrics-collector-dead-letters
        queue metrics-collector-flushes
        D1 database metrics-collector
        Worker metrics-collector, version ${installation.version}
        secret INGEST_TOKENS, with a new token
        secret READ_TOKENS, with a new token
        secret ADMIN_TOKENS, with a new token
      change:
        apply ${migrations.length} migrations to the database: ${migrations.join(", ")}

      Nothing was touched (--dry-run).
      "
    `);
    expect(cloud.snapshot()).toEqual(before);
    expectExit(await deploy(), 0);
    const deployed = cloud.snapshot();
    const second = await deploy("--dry-run", "--var", "MAX_ITEMS=5");
    expect(second.stdout).toContain('set MAX_ITEMS to "5" (was "10000")');
    expect(cloud.snapshot()).toEqual(deployed);
  });

  it("works without a login", async () => {
    const ran = await machine.run(["deploy", "--dry-run"], { env: { CLOUDFLARE_API_TOKEN: "" } });
    expectExit(ran, 0);
    expect(ran.stderr).toContain("Nobody is logged in");
    expect(cloud.calls).toEqual([]);
  });
});

describe("a second installation in the account", () => {
  it("has a database and queues of its own, and the first keeps its", async () => {
    expectExit(await deploy(), 0);
    const first = structuredClone(bound(NAME, "DB"));
    const ran = await machine.run(["deploy", "--name", "shop", "--url", cloud.urlOf("shop")]);
    expectExit(ran, 0);
    expect(cloud.account.databases.map(({ name }) => name)).toEqual([NAME, "shop"]);
    expect(cloud.account.queues.map(({ queue_name: name }) => name)).toEqual([
      `${NAME}-dead-letters`,
      `${NAME}-flushes`,
      "shop-dead-letters",
      "shop-flushes",
    ]);
    expect(bound("shop", "DB")!["id"]).toBe(cloud.account.databases[1]!.uuid);
    expect(bound(NAME, "DB")).toEqual(first);
    expect(await callsSeen("shop")).toBe(1);
    expect(await callsSeen()).toBe(1);
  });
});
