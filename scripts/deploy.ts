/** `npm run deploy`: migrates the remote D1, then deploys. `-- --dry-run` touches nothing remote. */
import { pickOptions, runWrangler } from "./wrangler.ts";

const args = process.argv.slice(2);
const isDryRun = args.some((arg) => arg === "--dry-run" || arg === "--dry-run=true");
if (!isDryRun) {
  await runWrangler([
    "d1",
    "migrations",
    "apply",
    "DB",
    "--remote",
    ...pickOptions(args, "--config", "-c", "--env", "-e"),
  ]);
}
await runWrangler(["deploy", ...args]);
