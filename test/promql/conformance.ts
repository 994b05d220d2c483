/** Prints the table of docs/promql.md: how many of Prometheus' own tests pass. Run it with `node`. */
import { type Outcome, listScripts, runScript } from "./conformance/run.ts";

export async function runAll(): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const file of listScripts()) outcomes.push(...(await runScript(file)));
  return outcomes;
}

/** One line for each file: passed of all, for floats and for native histograms, and what is refused. */
export function makeTable(outcomes: readonly Outcome[]): string {
  const cell = (some: readonly Outcome[]): string => {
    const stable = some.filter(({ status }) => status !== "experimental");
    return stable.length === 0 ? "–" : `${count(stable, "passed")} / ${stable.length}`;
  };
  const line = (name: string, some: readonly Outcome[]): string => {
    const floats = some.filter(({ hasNative }) => !hasNative);
    const natives = some.filter(({ hasNative }) => hasNative);
    return `| ${name} | ${cell(floats)} | ${cell(natives)} | ${count(some, "experimental")} | ${some.length} |`;
  };
  const files = [...new Set(outcomes.map(({ file }) => file))];
  return [
    "| file | passed without native histograms | passed with native histograms | experimental, refused | evaluations |",
    "|---|---|---|---|---|",
    ...files.map((file) =>
      line(
        file,
        outcomes.filter((outcome) => outcome.file === file),
      ),
    ),
    line("**all**", outcomes),
  ].join("\n");
}

const count = (outcomes: readonly Outcome[], status: Outcome["status"]): number =>
  outcomes.filter((outcome) => outcome.status === status).length;

if (import.meta.main) console.log(makeTable(await runAll()));
