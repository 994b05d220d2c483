/** Checks the test files that a person names on the command line of vitest. vitest itself ignores files of other projects. */
import { existsSync } from "node:fs";
import { matchesGlob, relative, resolve } from "node:path";
import { pickValues, PROJECT } from "./wrangler.ts";

export interface TestProject {
  name: string;
  include: readonly string[];
  exclude?: readonly string[];
}

/** @throws {Error} if a named file belongs to none of the projects that `--project` selects, or to no project at all */
export function checkNamedFiles(args: readonly string[], projects: readonly TestProject[]): void {
  const chosen = pickValues(args, "--project");
  const isSelected = (name: string) => chosen.some((pattern) => matchesGlob(name, pattern));
  for (const arg of args) {
    if (!arg.endsWith(".test.ts") || !existsSync(resolve(PROJECT, arg))) continue;
    const path = relative(PROJECT, resolve(PROJECT, arg));
    const owners = projects.filter((project) => contains(project, path)).map(({ name }) => name);
    if (owners.length === 0)
      throw new Error(`${path} would not run: it belongs to no project of the tests (vitest.config.ts).`);
    // A pattern such as "!stages" excludes projects.
    if (chosen.length === 0 || chosen.some((pattern) => pattern.startsWith("!")) || owners.some(isSelected))
      continue;
    throw new Error(
      `${path} would not run: it belongs to the project ${owners.join(" and ")}, ` +
        `and --project selects ${chosen.join(" and ")}. Add --project ${owners[0]}, or leave --project out.`,
    );
  }
}

function contains({ include, exclude = [] }: TestProject, path: string): boolean {
  const matches = (pattern: string) => matchesGlob(path, pattern);
  return include.some(matches) && !exclude.some(matches);
}
