/** `metrics-collector repair`: what can be done for calls that the database has lost. */
import { type Command, COMMON_OPTIONS, selectionOf, type Values } from "../command.ts";
import { count } from "../count.ts";
import { postAsAdmin } from "../deploy/verify.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { openCloud } from "../installed.ts";
import { Output } from "../output.ts";
import { adminOf } from "../worker-address.ts";

export const repairCommand: Command = {
  name: "repair",
  summary: "fill a database again that went back, and say what is lost",
  help: `
If the database was restored to an earlier time, or emptied, the buffer sends again what it keeps, for
KEEP_FLUSHES_HOURS. The hourly job does so by itself; this does it now. What nobody keeps any more is told, with what can
still be done for it. Exit code 5 while something is lost.

  npx metrics-collector repair
  npx metrics-collector repair --accept-loss`,
  options: {
    ...COMMON_OPTIONS,
    "accept-loss": {
      type: "boolean",
      help: "Give up what nobody keeps any more, so that the collector counts as well again.",
    },
  },
  run,
};

interface Repaired {
  recalledFlushes: number;
  lostFlushes: number;
  lostSince: string | null;
  isLossAccepted: boolean;
}

async function run(values: Values): Promise<ExitCode> {
  const output = new Output({ json: values["json"] === true, yes: values["yes"] === true });
  const cloud = await openCloud(selectionOf(values), output);
  const { url, token } = await adminOf(cloud);
  let repaired = await post<Repaired>("/repair");
  if (repaired.lostFlushes > 0 && values["accept-loss"] === true) {
    const question = `Give up ${count(repaired.lostFlushes, "flush", "flushes")} for ever?`;
    if (await output.confirm(question, `${question} Say so with --yes.`)) {
      repaired = await post<Repaired>("/repair?acceptLoss=true");
    }
  }
  output.result(repaired);
  for (const line of describe(repaired, cloud.names.database)) output.print(line);
  return repaired.lostFlushes > 0 && !repaired.isLossAccepted ? EXIT.problems : EXIT.done;

  function post<Answer>(path: string): Promise<Answer> {
    return postAsAdmin<Answer>(url, path, token);
  }
}

function describe({ recalledFlushes, lostFlushes, lostSince, isLossAccepted }: Repaired, database: string) {
  const lines: string[] = [];
  if (recalledFlushes > 0) {
    lines.push(
      `${count(recalledFlushes, "flush", "flushes")} that the database had lost are on their way to it again.`,
    );
  }
  if (lostFlushes === 0) return lines.length > 0 ? lines : ["The database has everything that it confirmed."];
  const what = `${count(lostFlushes, "flush", "flushes")}${lostSince === null ? "" : `, counted after ${lostSince},`}`;
  if (isLossAccepted) return [...lines, `${what} are given up. The collector counts as well again.`];
  return [
    ...lines,
    `${what} are in neither the database nor the buffer. What can be done:`,
    "  - If the database was restored by mistake, take it forward again. The restore printed the bookmark from before it:",
    `      npx wrangler d1 time-travel restore ${database} --bookmark BOOKMARK`,
    "    What was counted since is filled in again by itself.",
    "  - If there is a backup, restore it into an empty collector: npx metrics-collector restore FILE --name OTHER",
    "  - Give them up: npx metrics-collector repair --accept-loss",
  ];
}
