/** Which value each variable of the Worker gets. */
import { EXIT } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import type { Found } from "../installed.ts";
import { installation } from "../installation.ts";
import { deployedVars } from "./plan.ts";
import { defaultVars } from "./wrangler-configuration.ts";

/**
 * `--var` first. Then, in a clone, wrangler.toml, which its owner edits; in a published package, which nobody edits,
 * what the deployed Worker has.
 */
export function chooseVars(
  given: readonly string[] = [],
  { bindings }: Pick<Found, "bindings">,
): Record<string, string> {
  const deployed = deployedVars(bindings);
  const base = installation.isClone ? { ...deployed, ...defaultVars() } : { ...defaultVars(), ...deployed };
  return { ...base, ...Object.fromEntries(given.map(readVar)) };
}

function readVar(text: string): [string, string] {
  const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(text) ?? [];
  const known = Object.keys(defaultVars());
  if (name === undefined || value === undefined || !known.includes(name)) {
    throw new Failure(
      `--var ${JSON.stringify(text)} is not NAME=VALUE with one of the names ${known.join(", ")}.`,
      EXIT.usage,
    );
  }
  return [name, value];
}
