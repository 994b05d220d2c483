/**
 * `npm start`: migrates the local D1 (unless told `--skip-migrations`) and serves the Worker. Anything else after `--`
 * reaches `wrangler dev`.
 */
import { join } from "node:path";
import { readLocalVars } from "./local-vars.ts";
import { pickOptions, PROJECT, runWrangler, startWrangler } from "./wrangler.ts";

/** Small, so that a person sees the flush happen. `.dev.vars` and `--var` go before them. */
const LOCAL_VARS = { MAX_ITEMS: "10", MAX_WAITING_TIME: "5", OPEN_WITHOUT_TOKENS: "true" };
const TOKENS = ["INGEST_TOKENS", "READ_TOKENS", "ADMIN_TOKENS"];

const given = process.argv.slice(2);
const args = given.filter((arg) => arg !== "--skip-migrations");
const where = pickOptions(args, "--persist-to", "--config", "-c", "--env", "-e");
if (args.length === given.length) await runWrangler(["d1", "migrations", "apply", "DB", "--local", ...where]);

const own = readLocalVars(args);
const vars = Object.entries(LOCAL_VARS)
  .filter(([name]) => !(name in own))
  .flatMap(([name, value]) => ["--var", `${name}:${value}`]);
console.log(whoMayEnter({ ...LOCAL_VARS, ...own }));
// Another entry than wrangler.toml's comes first, since `--var` takes all that follows it, up to the next option; and
// with wrangler.toml, which wrangler would look for next to it.
const entry = args.slice(0, args[0]?.startsWith("-") === false ? 1 : 0);
const isConfigured = entry.length === 0 || pickOptions(args, "--config", "-c").length > 0;
const config = isConfigured ? [] : ["--config", join(PROJECT, "wrangler.toml")];
const server = startWrangler(["dev", ...entry, ...config, ...vars, ...args.slice(entry.length)], "inherit");

// The terminal sends Ctrl-C to wrangler as well: it ends first, and this process with it.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => server.kill("SIGTERM"));
server.on("exit", (code) => process.exit(code ?? 0));

function whoMayEnter(settings: Record<string, string>): string {
  const set = TOKENS.filter((name) => /[^\s,]/.test(settings[name] ?? ""));
  if (set.length > 0) {
    const missing = TOKENS.filter((name) => !set.includes(name));
    const rest =
      missing.length === 0 ? "" : ` What takes ${missing.join(" or ")} is closed, since they are not set.`;
    return `Closed: requests need a token of ${set.join(", ")}.${rest}`;
  }
  return settings["OPEN_WITHOUT_TOKENS"] === "true"
    ? "Open without tokens, since this is local: anybody who reaches the port may send and read. " +
        `Any token in .dev.vars (${TOKENS.join(", ")}) closes all of it.`
    : 'Closed: there are no tokens, and OPEN_WITHOUT_TOKENS is not "true".';
}
