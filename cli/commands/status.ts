/** `metrics-collector status`: what runs, how it is, how much it holds and what that costs. */
import { readUsage } from "../cloudflare/usage.ts";
import { type Command, COMMON_OPTIONS, selectionOf, type Values } from "../command.ts";
import { count } from "../count.ts";
import type { Health } from "../deploy/verify.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import { inspect, openCloud } from "../installed.ts";
import { installation } from "../installation.ts";
import { FREE_PLAN, listPrice } from "../limits.ts";
import { readMigrationState } from "../migrations.ts";
import { Output } from "../output.ts";
import { readStored } from "../stored.ts";
import { askHealth } from "../worker-address.ts";

const MONTH_MS = 30 * 86_400_000;

export const statusCommand: Command = {
  name: "status",
  summary: "what runs, how it is, how much it holds, and the month's bill",
  help: `
Shows the version that is deployed and the one here, the Worker's health, what waits in the buffer, and the size
of the database. The bill is D1's part for the last 30 days, from the rows that Cloudflare counted, at list price and
with nothing included: the Free plan costs nothing. Exit code 5 if the Worker is not well.`,
  options: COMMON_OPTIONS,
  run,
};

async function run(values: Values): Promise<ExitCode> {
  const output = new Output({ json: values["json"] === true, yes: values["yes"] === true });
  const cloud = await output.step("Reading the login and the account", () =>
    openCloud(selectionOf(values), output),
  );
  const found = await output.step("Looking at what is there", () => inspect(cloud));
  const { names } = cloud;
  if (found.worker !== "present" || !found.database) {
    throw new Failure(
      `${names.worker} is not deployed in this account. Deploy it: npx metrics-collector deploy`,
    );
  }
  const { uuid, name } = found.database;
  const deployment = await cloud.worker.lastDeployment();
  const health = await attempt(async () => (await askHealth(cloud)).health);
  const stored = await attempt(() => readStored(cloud.d1, uuid));
  const usage = await attempt(() =>
    readUsage(cloud.api, cloud.account.id, uuid, new Date(Date.now() - MONTH_MS)),
  );
  const { pending } = await readMigrationState(cloud.d1, uuid, name);
  const deployed =
    deployment?.annotations?.["workers/tag"]?.replace(/^v/, "") ?? health.value?.version ?? null;
  const status = {
    name: names.worker,
    account: cloud.account.id,
    versionDeployed: deployed,
    deployedAt: deployment?.created_on ?? null,
    versionHere: installation.version,
    pendingMigrations: pending,
    health: health.value ?? null,
    stored: stored.value ?? null,
    last30Days: usage.value ? { ...usage.value, listPriceUsd: listPrice(usage.value) } : null,
    unknown: [health.problem, stored.problem, usage.problem].filter((problem) => problem !== undefined),
  };
  output.result(status);
  output.print(describe(status));
  return health.value?.status === "ok" && pending.length === 0 ? EXIT.done : EXIT.problems;
}

/** What cannot be read must not hide the rest. */
async function attempt<Value>(read: () => Promise<Value>): Promise<{ value?: Value; problem?: string }> {
  try {
    return { value: await read() };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { problem: error.message };
  }
}

interface Status {
  name: string;
  account: string;
  versionDeployed: string | null;
  deployedAt: string | null;
  versionHere: string;
  pendingMigrations: string[];
  health: Health | null;
  stored: Awaited<ReturnType<typeof readStored>> | null;
  last30Days: { rowsRead: number; rowsWritten: number; listPriceUsd: number } | null;
  unknown: string[];
}

function describe(status: Status): string {
  const { health, stored, last30Days: usage } = status;
  const isOld = status.versionDeployed !== status.versionHere;
  const rows: [string, string][] = [
    ["Worker", `${status.name} in account ${status.account}`],
    [
      "Version",
      `${status.versionDeployed ?? "unknown"}, deployed ${status.deployedAt ?? "at an unknown time"}` +
        (isOld ? `; here is ${status.versionHere}: npx metrics-collector deploy` : ""),
    ],
  ];
  if (status.pendingMigrations.length > 0) {
    rows.push([
      "Migrations",
      `missing: ${status.pendingMigrations.join(", ")}: npx metrics-collector deploy`,
    ]);
  }
  if (health) {
    rows.push(["Health", health.status === "ok" ? "well" : health.problems.join(" ")]);
    rows.push([
      "Waiting",
      `${known(health.bufferedSamples, "sample")} buffered, ${known(health.unconfirmedFlushes, "flush", "flushes")} on the way to the database`,
    ]);
    rows.push(["Dead letters", health.deadLetters === null ? "unknown" : String(health.deadLetters)]);
  }
  if (stored) {
    const { bytes } = stored;
    const share =
      bytes === null ? "" : `, ${percent(bytes / FREE_PLAN.databaseBytes)} of the Free plan's 500 MB`;
    rows.push([
      "Data",
      `${whole(stored.calls)} calls of ${whole(stored.functions)} functions over ${stored.days} days`,
    ]);
    rows.push(["Rows", `${whole(stored.rollups)} rollups, ${whole(stored.failures)} failures`]);
    rows.push(["Size", bytes === null ? "unknown" : `${(bytes / 1e6).toFixed(1)} MB${share}`]);
  }
  if (usage) {
    rows.push([
      "Last 30 days",
      `${whole(usage.rowsWritten)} rows written, ${whole(usage.rowsRead)} read: $${usage.listPriceUsd.toFixed(2)} for D1 at list price, nothing on the Free plan`,
    ]);
  }
  for (const problem of status.unknown) rows.push(["Unknown", problem]);
  return rows.map(([title, text]) => `${title.padEnd(14)}${text}`).join("\n");
}

const known = (n: number | null, what: string, many?: string) =>
  n === null ? `an unknown number of ${many ?? `${what}s`}` : count(n, what, many);
const whole = (n: number) => n.toLocaleString("en");
const percent = (share: number) => `${(share * 100).toFixed(share < 0.01 ? 2 : 0)} %`;
