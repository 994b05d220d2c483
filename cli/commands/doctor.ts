/** `metrics-collector doctor`: finds what is wrong, and names the command that repairs it. */
import { type Command, COMMON_OPTIONS, selectionOf, type Values } from "../command.ts";
import {
  checkAnswers,
  checkCron,
  checkDatabase,
  checkLimits,
  checkQueues,
  checkWorker,
  type Finding,
} from "../doctor/checks.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import { inspect, openCloud } from "../installed.ts";
import { installation } from "../installation.ts";
import { Output } from "../output.ts";

export const doctorCommand: Command = {
  name: "doctor",
  summary: "find what is wrong, and the command that repairs it",
  help: `
Checks the login and its permissions, the account, the Worker, its secrets, queues, database, migrations and cron
trigger, then asks the Worker for its health, and compares clocks, versions and the limits of the Free plan.
It reads only. Exit code 5 if something is wrong.`,
  options: COMMON_OPTIONS,
  run,
};

async function run(values: Values): Promise<ExitCode> {
  const output = new Output({ json: values["json"] === true, yes: values["yes"] === true });
  const cloud = await openCloud(selectionOf(values), output);
  const findings: Finding[] = [
    {
      check: "login",
      ok: true,
      says: `Logged in; the account is ${cloud.account.name} (${cloud.account.id}).`,
    },
  ];
  const found = await inspect(cloud).catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error;
    findings.push({ check: "access", ok: false, says: error.message, repair: "as said above" });
    return undefined;
  });
  if (found) {
    const version = installation.version;
    const checks = [
      async () => checkWorker(cloud, found),
      async () => checkQueues(cloud, found),
      () => checkDatabase(cloud, found),
      () => checkCron(cloud, found),
      () => checkAnswers(cloud, found, version),
      () => checkLimits(cloud, found),
    ];
    for (const check of checks) findings.push(...(await guarded(check)));
  }
  const problems = findings.filter(({ ok }) => ok === false);
  output.result({ ok: problems.length === 0, findings });
  for (const finding of findings) output.print(lineOf(finding));
  output.print(
    problems.length === 0
      ? "\nNothing is wrong."
      : `\n${problems.length} of ${findings.length} checks found something.`,
  );
  return problems.length === 0 ? EXIT.done : EXIT.problems;
}

/** A check that cannot be made must not hide the others. */
async function guarded(check: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await check();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [{ check: "access", ok: false, says: error.message, repair: "as said above" }];
  }
}

function lineOf({ ok, says, repair }: Finding): string {
  const mark = ok === null ? "?" : ok ? "✓" : "✗";
  return `${mark} ${says}${repair === undefined ? "" : `\n    → ${repair}`}`;
}
