/** What goes wrong in real accounts: each is got past, or said plainly with what to do. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { copyMigrations } from "../../cli/migrations.ts";
import { type Call, SECOND_ACCOUNT } from "./cloudflare-api/stand-in.ts";
import { newAccount, type Permission, PERMISSIONS, type Script } from "./cloudflare-api/state.ts";
import { cloud, deploy, machine, NAME } from "./fresh.ts";
import { expectExit } from "./run.ts";

const foreign = (version?: Script["version"]): Script => ({
  tag: "foreign",
  version,
  deployments: [],
  secrets: new Map(),
  crons: [],
  isOnWorkersDev: true,
});
const somebodysCode: Script["version"] = {
  id: "v",
  createdOn: "2026-01-01T00:00:00Z",
  mainModule: "index.js",
  modules: new Map(),
  bindings: [{ type: "kv_namespace", name: "KV" }],
  compatibilityDate: "2026-01-01",
  assets: {},
  annotations: {},
  exports: {},
};
/** Nothing of ours was made. */
const expectUntouched = () => {
  expect(cloud.account.databases).toEqual([]);
  expect(cloud.account.queues).toEqual([]);
};

describe("names that are taken", () => {
  it("leaves a Worker of that name that is not ours as it is", async () => {
    cloud.account.scripts.set(NAME, foreign(somebodysCode));
    const before = cloud.snapshot();
    const ran = await deploy("--yes");
    expect(ran.code).toBe(4);
    expect(ran.stderr).toContain(`The Worker "${NAME}" exists already and is not a MetricsCollector`);
    expect(ran.stderr).toContain("--name NAME");
    expect(cloud.snapshot()).toEqual(before);
  });

  it("finds its own among many of similar names, over all pages of a list", async () => {
    const { databases, queues } = cloud.account;
    for (let i = 0; i < 120; i++) databases.push({ uuid: `other-${i}`, name: `${NAME}-${i}` });
    queues.push({ queue_id: "q", queue_name: `${NAME}-flushes`, consumers: [] });
    const before = await deploy("--dry-run", "--json");
    expectExit(before, 0);
    expect(JSON.parse(before.stdout)).toMatchObject({
      creates: [
        `queue ${NAME}-dead-letters`,
        `D1 database ${NAME}`,
        ...Array.from({ length: 4 }, () => expect.anything()),
      ],
    });
    databases.push({ uuid: await cloud.newDatabase(), name: NAME });
    const after = await deploy("--dry-run", "--json");
    expectExit(after, 0);
    expect((JSON.parse(after.stdout) as { creates: string[] }).creates).not.toContain(`D1 database ${NAME}`);
  });

  it("leaves a queue that another Worker consumes as it is", async () => {
    const consumer = { consumer_id: "c", script: "other", settings: {} };
    cloud.account.queues.push({ queue_id: "q", queue_name: `${NAME}-flushes`, consumers: [consumer] });
    const ran = await deploy();
    expect(ran.code).toBe(4);
    expect(ran.stderr).toContain(`queue "${NAME}-flushes", which the Worker "other" consumes`);
    expect(cloud.account.scripts.size).toBe(0);
  });

  it("leaves a database with somebody else's tables as it is", async () => {
    expectExit(await deploy(), 0);
    const [database] = cloud.account.databases;
    const db = await cloud.database(database!.uuid);
    await db.prepare("DROP TABLE d1_migrations").run();
    const before = cloud.account.scripts.get(NAME)!.version!.id;
    const ran = await deploy();
    expect(ran.code).toBe(4);
    expect(ran.stderr).toContain(`The D1 database "${NAME}" exists already and is not a MetricsCollector`);
    expect(cloud.account.scripts.get(NAME)!.version!.id).toBe(before);
  });
});

describe("an upload that broke", () => {
  it("deletes the Worker without code that it leaves, where the rest is ours, and deploys", async () => {
    const cut = ({ method, path }: Call) => method === "PUT" && path === `/workers/scripts/${NAME}`;
    cloud.fault = (call) => {
      if (!cut(call)) return undefined;
      cloud.account.scripts.set(NAME, foreign());
      return { status: 500, code: 10013, message: "An unknown error has occurred." };
    };
    const broken = await deploy();
    expectExit(broken, 1);
    expect(broken.stderr).toContain("✓ D1 database metrics-collector is created");
    expect(broken.stderr).toContain("Not done: Uploading version");
    expect(broken.stderr).toContain("Running the same command again is safe");
    cloud.fault = () => undefined;
    const ran = await deploy();
    expectExit(ran, 0);
    expect(ran.stderr).toContain("without code, left by an interrupted upload, is deleted");
    expect(cloud.account.databases).toHaveLength(1);
  });

  it("asks before it deletes one where nothing else is ours", async () => {
    cloud.account.scripts.set(NAME, foreign());
    const ran = await deploy();
    expect(ran.code).toBe(4);
    expect(ran.stderr).toContain("Say so with --yes");
    expect(cloud.account.scripts.get(NAME)!.version).toBeUndefined();
    expectUntouched();
  });
});

describe("a login that may too little", () => {
  it.each(["Workers Scripts Edit", "D1 Edit", "Queues Edit"] satisfies Permission[])(
    "names the permission %s when it is missing",
    async (missing) => {
      cloud.tokens.set("good", {
        permissions: PERMISSIONS.filter((permission) => permission !== missing),
        accounts: [cloud.account.id],
      });
      const ran = await deploy();
      expectExit(ran, 3);
      expect(ran.stderr).toContain(`lacks the permission "${missing.replace("Edit", "Read")}"`);
      expectUntouched();
    },
  );

  it("needs the account's id where the token cannot list accounts", async () => {
    cloud.tokens.set("good", {
      permissions: ["Workers Scripts Edit", "D1 Edit", "Queues Edit"],
      accounts: [cloud.account.id],
    });
    const ran = await deploy();
    expect(ran.code).toBe(3);
    expect(ran.stderr).toContain('--account, or add the permission "Account Settings Read"');
    const given = await deploy("--account", cloud.account.id);
    expectExit(given, 0);
  });

  it("names the permission that wrangler, refused in the middle, does not", async () => {
    cloud.fault = ({ method, path }) =>
      method === "PUT" && path === `/workers/scripts/${NAME}`
        ? { status: 403, code: 10000, message: "Authentication error" }
        : undefined;
    const ran = await deploy();
    expectExit(ran, 3);
    expect(ran.stderr).toContain('lacks the permission "Workers Scripts Edit"');
  });

  it("names the right to edit where the token may only read, and goes on once it may", async () => {
    const permissions = ["Workers Scripts Edit", "Queues Edit", "Account Settings Read"];
    cloud.tokens.set("good", { permissions: [...permissions, "D1 Read"], accounts: [cloud.account.id] });
    const ran = await deploy();
    expectExit(ran, 3);
    expect(ran.stderr).toContain('lacks the permission "D1 Edit"');
    expect(ran.stderr).toContain(
      `Done before this: \n  ✓ Queue ${NAME}-dead-letters is created\n  ✓ Queue ${NAME}-flushes is created\n`,
    );
    cloud.tokens.set("good", { permissions: [...permissions, "D1 Edit"], accounts: [cloud.account.id] });
    const again = await deploy();
    expectExit(again, 0);
    expect(cloud.account.queues).toHaveLength(2);
  });

  it("says that a token is not valid, and that nobody is logged in", async () => {
    const invalid = await machine.run(["deploy"], { env: { CLOUDFLARE_API_TOKEN: "bad" } });
    expect(invalid.code).toBe(3);
    expect(invalid.stderr).toContain("CLOUDFLARE_API_TOKEN is not valid");
    const nobody = await machine.run(["deploy"], { env: { CLOUDFLARE_API_TOKEN: "" } });
    expect(nobody.code).toBe(3);
    expect(nobody.stderr).toContain('Run "npx wrangler login"');
    expectUntouched();
  });
});

describe("a login with two accounts", () => {
  beforeEach(() => {
    cloud.accounts.set(SECOND_ACCOUNT, newAccount(SECOND_ACCOUNT, "Second"));
    cloud.tokens.set("good", { permissions: PERMISSIONS, accounts: [...cloud.accounts.keys()] });
  });

  it("off a terminal takes neither, and lists both", async () => {
    const ran = await deploy();
    expect(ran.code).toBe(4);
    expect(ran.stderr).toContain(`1. ${cloud.account.id}  First\n  2. ${SECOND_ACCOUNT}  Second`);
    expectUntouched();
  });

  it("takes the one that is named", async () => {
    const url = cloud.urlOf(NAME, SECOND_ACCOUNT);
    const ran = await machine.run(["deploy", "--account", "Second", "--url", url]);
    expectExit(ran, 0);
    expectUntouched();
    expect(cloud.accounts.get(SECOND_ACCOUNT)!.databases).toHaveLength(1);
  });
});

describe("limits of an account", () => {
  it("says that there are as many databases as the plan allows", async () => {
    cloud.account.limits.databases = 0;
    const ran = await deploy();
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain("as many D1 databases as its plan allows");
  });

  it("says how to get a workers.dev subdomain, before it creates anything", async () => {
    cloud.account.subdomain = undefined;
    const ran = await deploy();
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain("has no workers.dev subdomain yet. Open https://dash.cloudflare.com");
    expectUntouched();
  });

  it("says that the Worker runs where only its cron trigger was refused", async () => {
    cloud.fault = ({ method, path }) =>
      method === "PUT" && path.endsWith("/schedules")
        ? { status: 400, code: 10072, message: "You have exceeded the limit of cron triggers." }
        : undefined;
    const ran = await deploy();
    expectExit(ran, 1);
    expect(ran.stderr).toContain("as many cron triggers as its plan allows");
    cloud.fault = () => undefined;
    const again = await deploy();
    expectExit(again, 0);
    expect(cloud.account.scripts.get(NAME)!.crons).toHaveLength(1);
  });
});

describe("a bad network", () => {
  it("gets past an API that is slow, busy, broken or cut off now and then", async () => {
    const kinds = [
      { delayMs: 300 },
      { status: 429, code: 10429, message: "Rate limited", retryAfterSeconds: 0 },
      { status: 502, code: 10013, message: "Bad gateway" },
      { cut: "before" as const },
      { cut: "after" as const },
    ];
    const seen = new Set<string>();
    cloud.fault = ({ method, path, n, sender }) => {
      // Each of the command's own calls fails once. Wrangler repeats only some of its own.
      const key = `${method} ${path}`;
      if (seen.has(key) || sender === "wrangler") return undefined;
      seen.add(key);
      return kinds[n % kinds.length];
    };
    const ran = await deploy();
    expectExit(ran, 0);
    expect(cloud.account.databases).toHaveLength(1);
    expect(cloud.account.queues).toHaveLength(2);
  });
});

describe("migrations on Windows", () => {
  it("are applied with the line ends that D1 reads, whatever git made of them", async () => {
    const folder = await mkdtemp(join(tmpdir(), "metrics-collector-migrations-"));
    try {
      await writeFile(join(folder, "0000_one.sql"), "CREATE TABLE a (b);\r\nSELECT 1;\r\n");
      await copyMigrations(join(folder, "copy"), folder);
      expect(await readFile(join(folder, "copy/0000_one.sql"), "utf8")).toBe(
        "CREATE TABLE a (b);\nSELECT 1;\n",
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
