/** `metrics-collector deploy`: installs MetricsCollector in a Cloudflare account, or upgrades it. */
import { build } from "../build.ts";
import { type Command, COMMON_OPTIONS, selectionOf, type Values } from "../command.ts";
import { NOT_LOGGED_IN } from "../cloudflare/credentials.ts";
import { deployAsConfigured, isCloudflareBuild } from "../deploy/as-configured.ts";
import { deploy } from "../deploy/deploy.ts";
import { planOf } from "../deploy/plan.ts";
import { chooseVars } from "../deploy/vars.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import { type Found, inspect, openCloud } from "../installed.ts";
import { installation } from "../installation.ts";
import { ownMigrations, readMigrationState } from "../migrations.ts";
import { namesFor } from "../names.ts";
import { Output } from "../output.ts";

export const deployCommand: Command = {
  name: "deploy",
  summary: "install it in your Cloudflare account, or upgrade it",
  help: `
Finds or creates the queues and the D1 database, applies migrations, uploads the Worker, and on the first
run makes three tokens: one to send samples, one to read, one to administer. Then it asks the Worker for
its health and sends it one sample. The same command upgrades. It fits the Free plan.

Tokens are kept on this machine, in ~/.config/metrics-collector, since Cloudflare shows nobody a secret.
If INGEST_TOKENS, READ_TOKENS or ADMIN_TOKENS are set in the environment, the first run sets those instead.

Log in with "npx wrangler login", or set CLOUDFLARE_API_TOKEN to a token with the permissions of the template
"Edit Cloudflare Workers", "D1 Edit" and "Queues Edit".

  npx metrics-collector deploy
  npx metrics-collector deploy --dry-run
  npx metrics-collector deploy --name shop-metrics --var MAX_WAITING_TIME=60`,
  options: {
    ...COMMON_OPTIONS,
    "dry-run": { type: "boolean", help: "Say what would be created and changed, and touch nothing." },
    var: {
      type: "string",
      value: "NAME=VALUE",
      multiple: true,
      help: "Set a variable of wrangler.toml, such as MAX_ITEMS. Repeat for several.",
    },
    url: {
      type: "string",
      value: "URL",
      help: "Where the Worker answers, if that is not its workers.dev address. Remembered.",
    },
    "show-tokens": {
      type: "boolean",
      help: "Print the tokens. The first run does on a terminal; a log may keep them.",
    },
  },
  async run(values) {
    const output = new Output({ json: values["json"] === true, yes: values["yes"] === true });
    if (isCloudflareBuild()) return deployAsConfigured(output);
    return values["dry-run"] === true ? dryRun(values, output) : deploy(values, output);
  },
};

const NOTHING: Found = {
  worker: "absent",
  bindings: [],
  secrets: [],
  database: undefined,
  flushes: undefined,
  deadLetters: undefined,
};

/** Without a login it builds the Worker and shows a first deployment. */
async function dryRun(values: Values, output: Output): Promise<ExitCode> {
  const names = namesFor(selectionOf(values).name);
  await output.step("Building the Worker", build);
  let account: string | null = null;
  let found = NOTHING;
  let migrations = { pending: await ownMigrations(), unknown: [] as string[] };
  try {
    const cloud = await openCloud(selectionOf(values), output);
    account = cloud.account.id;
    found = await inspect(cloud);
    if (found.database) {
      migrations = await readMigrationState(cloud.d1, found.database.uuid, found.database.name);
    }
  } catch (error) {
    if (!(error instanceof Failure) || error.message !== NOT_LOGGED_IN) throw error;
    output.warn("Nobody is logged in to Cloudflare, so this is what a first deployment would do.");
  }
  const vars = chooseVars(values["var"] as string[] | undefined, found);
  const plan = planOf({ names, found, migrations, version: installation.version, vars });
  output.result({ dryRun: true, account, name: names.worker, version: installation.version, ...plan });
  const section = (title: string, lines: string[]) =>
    lines.length === 0 ? `${title}: nothing` : `${title}:\n${lines.map((line) => `  ${line}`).join("\n")}`;
  output.print(`${account === null ? "In your account" : `In account ${account}`}, deploy would\n`);
  output.print(section("create", plan.creates));
  output.print(section("change", plan.changes));
  output.print("\nNothing was touched (--dry-run).");
  return EXIT.done;
}
