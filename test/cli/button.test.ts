/** `npm run deploy` as the button "Deploy to Cloudflare" runs it, in a clone into whose wrangler.toml it has written. */
import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { installation } from "../../cli/installation.ts";
import { StandIn } from "./cloudflare-api/stand-in.ts";
import { Machine } from "./run.ts";

const { root } = installation;
const PARTS = [
  "cli",
  "src",
  "dashboard",
  "scripts",
  "migrations",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
];

it("deploys to the database and the queue that the button made, and creates the queue of dead letters", async () => {
  const clone = await mkdtemp(join(tmpdir(), "metrics-collector-clone-"));
  const cloud = await StandIn.start();
  const machine = await Machine.start(cloud);
  try {
    for (const part of PARTS) await cp(join(root, part), join(clone, part), { recursive: true });
    await symlink(join(root, "node_modules"), join(clone, "node_modules"), "dir");
    const api = async (path: string, body: object) => {
      const response = await fetch(`${cloud.url}/accounts/${cloud.account.id}${path}`, {
        method: "POST",
        headers: { Authorization: "Bearer good" },
        body: JSON.stringify(body),
      });
      return ((await response.json()) as { result: { uuid: string } }).result;
    };
    const { uuid } = await api("/d1/database", { name: "my-data" });
    await api("/queues", { queue_name: "my-queue" });
    const configuration = await readFile(join(root, "wrangler.toml"), "utf8");
    await writeFile(
      join(clone, "wrangler.toml"),
      configuration
        .replace('name = "metrics-collector"', 'name = "my-metrics"')
        .replace('database_name = "metrics-collector"', 'database_name = "my-data"')
        .replace("00000000-0000-0000-0000-000000000000", uuid)
        .replaceAll('"metrics-collector-flushes"', '"my-queue"'),
    );
    const env = { ...machine.env, WORKERS_CI: "1", CLOUDFLARE_ACCOUNT_ID: cloud.account.id };
    await promisify(execFile)(process.execPath, [join(clone, "cli/bin.js"), "deploy"], { cwd: clone, env });
    const { databases, queues, scripts } = cloud.account;
    expect(databases.map(({ name }) => name)).toEqual(["my-data"]);
    expect(queues.map(({ queue_name: name, consumers }) => [name, consumers[0]?.script])).toEqual([
      ["my-queue", "my-metrics"],
      ["metrics-collector-dead-letters", "my-metrics"],
    ]);
    expect([...scripts.keys()]).toEqual(["my-metrics"]);
    const db = await cloud.database(uuid);
    const { results } = await db.prepare("SELECT count(*) AS n FROM d1_migrations").all();
    expect(results[0]!["n"]).toBeGreaterThan(1);
  } finally {
    await machine.remove();
    await cloud.stop();
    await rm(clone, { recursive: true, force: true });
  }
});
