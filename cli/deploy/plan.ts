/** What a deployment will create and change, as sentences, before anything is. */
import { count } from "../count.ts";
import type { Found } from "../installed.ts";
import type { MigrationState } from "../migrations.ts";
import type { Names } from "../names.ts";
import { ROLES, type Role, SECRETS } from "../tokens/token-entry.ts";

export interface Plan {
  creates: string[];
  changes: string[];
}

export interface PlanInput {
  names: Names;
  found: Found;
  migrations: MigrationState;
  version: string;
  vars: Record<string, string>;
}

export function planOf({ names, found, migrations, version, vars }: PlanInput): Plan {
  const creates: string[] = [];
  const changes: string[] = [];
  if (!found.deadLetters) creates.push(`queue ${names.deadLetters}`);
  if (!found.flushes) creates.push(`queue ${names.flushes}`);
  if (!found.database) creates.push(`D1 database ${names.database}`);
  const { pending } = migrations;
  if (pending.length > 0) {
    changes.push(`apply ${count(pending.length, "migration")} to the database: ${pending.join(", ")}`);
  }
  if (found.worker === "hollow") {
    changes.push(`delete the Worker ${names.worker}, which an interrupted upload left without code`);
  }
  if (found.worker === "present") changes.push(`upload version ${version} of the Worker ${names.worker}`);
  else creates.push(`Worker ${names.worker}, version ${version}`);
  for (const role of missingRoles(found)) creates.push(`secret ${SECRETS[role]}, with a new token`);
  changes.push(...changedVars(found, vars));
  return { creates, changes };
}

/** Roles whose secret the Worker does not have. */
export function missingRoles({ secrets }: Found): Role[] {
  return ROLES.filter((role) => !secrets.includes(SECRETS[role]));
}

function changedVars({ worker, bindings }: Found, vars: Record<string, string>): string[] {
  if (worker !== "present") return [];
  const deployed = deployedVars(bindings);
  return Object.entries(vars)
    .filter(([name, value]) => deployed[name] !== value)
    .map(
      ([name, value]) =>
        `set ${name} to ${JSON.stringify(value)} (was ${JSON.stringify(deployed[name]) ?? "not set"})`,
    );
}

export function deployedVars(bindings: Found["bindings"]): Record<string, string> {
  return Object.fromEntries(
    bindings.flatMap(({ type, name, text }) => (type === "plain_text" ? [[name, text ?? ""]] : [])),
  );
}
