/** What can be wrong with an installation, each with the command that repairs it. */
import type { D1 } from "../cloudflare/d1.ts";
import { consumerOf, type Queue } from "../cloudflare/queues.ts";
import { readUsage } from "../cloudflare/usage.ts";
import { type HealthAnswer, readHealth } from "../deploy/verify.ts";
import { missingRoles } from "../deploy/plan.ts";
import type { Cloud, Found } from "../installed.ts";
import { FREE_PLAN } from "../limits.ts";
import { readMigrationState } from "../migrations.ts";
import { readStored } from "../stored.ts";
import { SECRETS } from "../tokens/token-entry.ts";
import { readerOf } from "../worker-address.ts";

/** `ok` is null where a check does not apply or cannot be made; `says` then tells why. */
export interface Finding {
  check: string;
  ok: boolean | null;
  says: string;
  /** A command, or what to do. */
  repair?: string;
}

const DEPLOY = "npx metrics-collector deploy";
const SKEW_MS = 60_000;
/** The share of a plan's limit from which a check warns. */
const NEAR = 0.8;
const DAY_MS = 86_400_000;

const good = (check: string, says: string): Finding => ({ check, ok: true, says });
const bad = (check: string, says: string, repair: string): Finding => ({ check, ok: false, says, repair });
const unknown = (check: string, says: string): Finding => ({ check, ok: null, says });

export function checkWorker({ names }: Cloud, found: Found): Finding[] {
  if (found.worker === "absent") return [bad("worker", `No Worker ${names.worker} is deployed.`, DEPLOY)];
  if (found.worker === "hollow") {
    return [
      bad("worker", `The Worker ${names.worker} has no code: its first upload was interrupted.`, DEPLOY),
    ];
  }
  const hasAlerts = found.bindings.some(({ class_name: className }) => className === "Alerts");
  const missing = missingRoles(found).map((role) => SECRETS[role]);
  return [
    good("worker", `The Worker ${names.worker} is deployed.`),
    ...(hasAlerts
      ? []
      : [bad("worker", "The Worker has no object for alerts: it is of an older version.", DEPLOY)]),
    missing.length === 0
      ? good("secrets", "All three secrets are set.")
      : bad("secrets", `${missing.join(", ")} is not set, so nobody has the right that it gives.`, DEPLOY),
  ];
}

export function checkQueues({ names }: Cloud, { flushes, deadLetters }: Found): Finding[] {
  const check = (queue: Queue | undefined, name: string): Finding => {
    if (!queue) return bad("queue", `The queue ${name} does not exist.`, DEPLOY);
    const consumers = (queue.consumers ?? []).map(consumerOf);
    if (consumers.includes(names.worker)) return good("queue", `The queue ${name} is consumed.`);
    return consumers.length === 0
      ? bad("queue", `The queue ${name} has no consumer, so what is in it goes nowhere.`, DEPLOY)
      : bad(
          "queue",
          `The queue ${name} is consumed by ${consumers.join(", ")}.`,
          `npx wrangler queues consumer remove ${name} ${consumers[0]}, then ${DEPLOY}`,
        );
  };
  return [check(flushes, names.flushes), check(deadLetters, names.deadLetters)];
}

export async function checkDatabase({ d1, names }: Cloud, found: Found): Promise<Finding[]> {
  const { database, bindings, worker } = found;
  if (!database) return [bad("database", `The D1 database ${names.database} does not exist.`, DEPLOY)];
  const bound = bindings.find(({ name }) => name === "DB");
  const id = bound?.id ?? bound?.database_id;
  const findings: Finding[] = [];
  if (worker === "present" && id !== database.uuid) {
    findings.push(
      bad(
        "database",
        `The Worker is bound to the database ${id ?? "of nobody"}, which does not exist.`,
        DEPLOY,
      ),
    );
  } else {
    findings.push(good("database", `The D1 database ${database.name} exists.`));
  }
  const { pending, unknown: newer } = await readMigrationState(d1, database.uuid, database.name);
  if (pending.length > 0) {
    findings.push(bad("migrations", `The database lacks ${pending.join(", ")}.`, DEPLOY));
  } else if (newer.length > 0) {
    const says = `The database has ${newer.join(", ")} of a newer version than this.`;
    findings.push(bad("migrations", says, "npx metrics-collector@latest deploy"));
  } else {
    findings.push(good("migrations", "All migrations are applied."));
  }
  return findings;
}

export async function checkCron({ worker }: Cloud, found: Found): Promise<Finding[]> {
  if (found.worker !== "present") return [];
  const crons = await worker.crons();
  if (crons.length > 0) return [good("cron", `The hourly sweep is scheduled (${crons.join(", ")}).`)];
  return [bad("cron", "The hourly sweep has no cron trigger, so minutes never become hours.", DEPLOY)];
}

/** Health, version, tokens and clock: all that the Worker itself is asked for. */
export async function checkAnswers(cloud: Cloud, found: Found, version: string): Promise<Finding[]> {
  if (found.worker !== "present") return [];
  const { url, token } = await readerOf(cloud);
  if (token === undefined) {
    return [
      unknown(
        "health",
        "This machine knows no token to read with. It is where the Worker was first deployed; " +
          "npx metrics-collector tokens add read --replace makes one, and ends those that exist.",
      ),
    ];
  }
  let answer: HealthAnswer;
  try {
    answer = await readHealth(url, token);
  } catch (error) {
    const { message } = error as Error;
    const isRefused = / 401/.test(message);
    return [
      isRefused
        ? bad(
            "tokens",
            `The Worker does not know this machine's token. ${message}`,
            "npx metrics-collector tokens rotate read --replace",
          )
        : bad("health", message, `${DEPLOY} --url URL, if it answers under another address`),
    ];
  }
  const { health } = answer;
  return [
    health.status === "ok"
      ? good("health", `${url} is well.`)
      : bad(
          "health",
          health.problems.join(" "),
          `read the Worker's log: npx wrangler tail ${cloud.names.worker}`,
        ),
    health.version === version
      ? good("version", `It runs version ${version}.`)
      : bad("version", `It runs version ${health.version}; here is ${version}.`, DEPLOY),
    checkClock(answer.clockAheadMs),
  ];
}

export function checkClock(aheadMs: number | null): Finding {
  if (aheadMs === null) return unknown("clock", "The server does not say its time.");
  if (Math.abs(aheadMs) < SKEW_MS) return good("clock", "This machine's clock agrees with the server's.");
  const direction = aheadMs > 0 ? "ahead of" : "behind";
  const says = `This machine's clock is ${Math.round(Math.abs(aheadMs) / 1000)} s ${direction} the server's; calls sent from here are counted in the wrong minute.`;
  return bad("clock", says, "set the clock by NTP");
}

export async function checkLimits(cloud: Cloud, { database }: Found): Promise<Finding[]> {
  if (!database) return [];
  const findings = [await checkSize(cloud.d1, database.uuid)];
  const midnight = new Date(Math.floor(Date.now() / DAY_MS) * DAY_MS);
  try {
    const { rowsWritten } = await readUsage(cloud.api, cloud.account.id, database.uuid, midnight);
    findings.push(
      nearLimit(
        "rows written today",
        rowsWritten,
        FREE_PLAN.rowsWrittenPerDay,
        "raise MAX_WAITING_TIME, or move to the Paid plan",
      ),
    );
  } catch (error) {
    findings.push(unknown("limits", (error as Error).message));
  }
  return findings;
}

async function checkSize(d1: D1, uuid: string): Promise<Finding> {
  const { bytes } = await readStored(d1, uuid);
  if (bytes === null) return unknown("limits", "D1 does not say how large the database is.");
  return nearLimit(
    "bytes of the database",
    bytes,
    FREE_PLAN.databaseBytes,
    "move to the Paid plan, which has 10 GB",
  );
}

function nearLimit(what: string, value: number, limit: number, repair: string): Finding {
  const says = `${value.toLocaleString("en")} ${what}, of the Free plan's ${limit.toLocaleString("en")}.`;
  return value >= limit * NEAR ? bad("limits", says, repair) : good("limits", says);
}
