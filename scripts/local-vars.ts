/** Reads the variables of a local server: from `.dev.vars` or `.env` files, as `wrangler dev` does, and from `--var`. */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseEnv } from "node:util";
import { pickValue, pickValues, PROJECT } from "./wrangler.ts";

/**
 * The variables that a person set for the local server. `--var` overrides the files.
 *
 * @param args the arguments of `wrangler dev`
 */
export function readLocalVars(args: readonly string[], folder = PROJECT): Record<string, string> {
  const environment = pickValue(args, "--env", "-e");
  const named = pickValues(args, "--env-file");
  const devVars = [...(environment === undefined ? [] : [`.dev.vars.${environment}`]), ".dev.vars"].find(
    (name) => existsSync(resolve(folder, name)),
  );
  const dotEnv = [
    ".env",
    ".env.local",
    ...(environment === undefined ? [] : [`.env.${environment}`, `.env.${environment}.local`]),
  ];
  const files = named.length > 0 ? named : devVars === undefined ? dotEnv : [devVars];
  const paths = files.map((name) => resolve(folder, name)).filter((path) => existsSync(path));
  return Object.assign(
    {},
    ...paths.map((path) => parseEnv(readFileSync(path, "utf8"))),
    Object.fromEntries(varsOf(args)),
  ) as Record<string, string>;
}

/** Each `NAME:VALUE` after a `--var`. One `--var` may have several. */
function varsOf(args: readonly string[]): [string, string][] {
  let isVar = false;
  const vars: [string, string][] = [];
  for (const arg of args) {
    if (arg.startsWith("-")) isVar = arg === "--var" || arg.startsWith("--var=");
    const text = arg.replace(/^--var=?/, "");
    const at = text.indexOf(":");
    if (isVar && at > 0) vars.push([text.slice(0, at), text.slice(at + 1)]);
  }
  return vars;
}
