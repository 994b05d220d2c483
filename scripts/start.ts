/**
 * `npm start`: migrates the local D1 (unless told `--skip-migrations`) and serves the Worker. Anything else after `--`
 * reaches `wrangler dev`.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { pickOptions, PROJECT, runWrangler, startWrangler } from "./wrangler.ts";

/** Small, so that a person sees the flush happen. `.dev.vars` and `--var` go before them. */
const LOCAL_VARS = { MAX_ITEMS: "10", MAX_WAITING_TIME: "5", OPEN_WITHOUT_TOKENS: "true" };

const given = process.argv.slice(2);
const args = given.filter((arg) => arg !== "--skip-migrations");
const where = pickOptions(args, "--persist-to", "--config", "-c", "--env", "-e");
if (args.length === given.length) await runWrangler(["d1", "migrations", "apply", "DB", "--local", ...where]);

const devVars = join(PROJECT, ".dev.vars");
const own = existsSync(devVars) ? parseEnv(readFileSync(devVars, "utf8")) : {};
const vars = Object.entries(LOCAL_VARS)
  .filter(([name]) => !(name in own))
  .flatMap(([name, value]) => ["--var", `${name}:${value}`]);
console.log(
  "Open without tokens, since this is local: anybody who reaches the port may send and read. " +
    "Tokens in .dev.vars (INGEST_TOKENS, READ_TOKENS, ADMIN_TOKENS) close it.",
);
const server = startWrangler(["dev", ...vars, ...args], "inherit");

// The terminal sends Ctrl-C to wrangler as well: it ends first, and this process with it.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => server.kill("SIGTERM"));
server.on("exit", (code) => process.exit(code ?? 0));
