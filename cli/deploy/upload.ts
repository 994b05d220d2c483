/** Runs the two commands of wrangler that change an account: `d1 migrations apply` and `deploy`. */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { adviceFor, permissionFor } from "../cloudflare/cloudflare-error.ts";
import { EXIT } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import { installation } from "../installation.ts";
import type { InstallationRecord } from "../record.ts";
import { runWrangler, type WranglerRun } from "../wrangler.ts";

export interface Uploaded {
  versionId: string | undefined;
  /** Where the Worker answers, as wrangler says it. */
  targets: string[];
}

/** Wrangler applies each migration with its entry in `d1_migrations` as one query, so a repeat applies the rest. */
export async function applyMigrations(
  record: InstallationRecord,
  configuration: string,
  accountId: string,
): Promise<void> {
  const run = await runWrangler(["d1", "migrations", "apply", "DB", "--remote", "--config", configuration], {
    cwd: record.folder,
    env: environment(accountId),
  });
  if (run.code !== 0) throw failureOf("The database's migrations were not all applied.", run);
}

/** `secrets` go up with the code, so that the Worker never runs without them. Idempotent. */
export async function uploadWorker(
  record: InstallationRecord,
  configuration: string,
  accountId: string,
  secrets: Record<string, string>,
): Promise<Uploaded> {
  const report = join(record.folder, "wrangler-output.jsonl");
  const secretsFile =
    Object.keys(secrets).length > 0
      ? await record.writePrivate("secrets.json", JSON.stringify(secrets))
      : undefined;
  await rm(report, { force: true });
  try {
    const run = await runWrangler(
      [
        "deploy",
        "--config",
        configuration,
        "--tag",
        `v${installation.version}`,
        "--message",
        `metrics-collector ${installation.version}`,
        ...(secretsFile === undefined ? [] : ["--secrets-file", secretsFile]),
      ],
      { cwd: record.folder, env: { ...environment(accountId), WRANGLER_OUTPUT_FILE_PATH: report } },
    );
    const uploaded = await readReport(report);
    if (run.code === 0) return uploaded;
    throw failureOf(
      uploaded.versionId === undefined
        ? "The Worker was not uploaded."
        : "The Worker was uploaded and runs, but its cron trigger or a queue's consumer was not set.",
      run,
    );
  } finally {
    if (secretsFile !== undefined) await rm(secretsFile, { force: true });
    await rm(report, { force: true });
  }
}

const environment = (accountId: string) => ({ CLOUDFLARE_ACCOUNT_ID: accountId });

/** Wrangler writes one JSON document a line. */
async function readReport(path: string): Promise<Uploaded> {
  const text = await readFile(path, "utf8").catch(() => "");
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const entry = JSON.parse(line) as { type: string; version_id?: string; targets?: string[] };
    if (entry.type === "deploy") return { versionId: entry.version_id, targets: entry.targets ?? [] };
  }
  return { versionId: undefined, targets: [] };
}

/** Wrangler names no permission, and hides its reason among other lines: this puts both first. */
export function failureOf(what: string, { output, code }: WranglerRun): Failure {
  const codes = Array.from(output.matchAll(/\[code: (\d+)\]/g), ([, digits]) => Number(digits));
  const [, path] = /A request to the Cloudflare API \(([^)]*)\) failed/.exec(output) ?? [];
  const permission = path === undefined ? undefined : permissionFor(path, "PUT");
  const advice = adviceFor(codes, undefined, permission);
  const isDenied = codes.some((found) => [10000, 9106, 9109].includes(found));
  const said = output
    .split("\n")
    .filter((line) => line.trim() !== "" && !/logs? (were|was) written|Logs were|🪵/i.test(line))
    .slice(-12)
    .join("\n");
  return new Failure(
    [what, advice, `wrangler ended with ${code ?? "a signal"} and printed:`, said].filter(Boolean).join("\n"),
    isDenied ? EXIT.notAllowed : EXIT.failed,
  );
}
