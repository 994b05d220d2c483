/** What other rooms ask of alerts: whether they work, and which there are. */
import { callAlerts } from "./alerts-object.ts";
import type { AlertsHealth } from "./listing.ts";

export type { AlertsHealth };

/** How long an isolate takes it for granted that there are no rules and targets. Asking costs a request each time. */
const INACTIVE_FOR_MS = 60_000;
let inactiveUntil = 0;

/** Undefined if there are no rules and targets. @throws {BindingFault} */
export async function readAlertsHealth(env: Pick<Env, "ALERTS">): Promise<AlertsHealth | undefined> {
  if (Date.now() < inactiveUntil && inactiveUntil - Date.now() <= INACTIVE_FOR_MS) return undefined;
  const health = await callAlerts(env, async (alerts) => await alerts.health());
  if (health.isActive) return health;
  inactiveUntil = Date.now() + INACTIVE_FOR_MS;
  return undefined;
}

/** Rules or targets were made in this isolate, so the next question must be asked. */
export function noteActive(): void {
  inactiveUntil = 0;
}

const LATE_SECONDS = 5 * 60;
const FAILING_SECONDS = 10 * 60;

/** A sentence for each thing that a person should look at. `now` is in epoch milliseconds. */
export function alertsProblems(health: AlertsHealth, now: number): string[] {
  const seconds = now / 1000;
  const problems: string[] = [];
  const last = Math.max(health.evaluatedAt, health.activeSince);
  if (seconds - last > LATE_SECONDS) {
    const why = health.problem ?? "Look for alerts_failed and alerts_unknown in the log.";
    problems.push(`Rules of alerts were not evaluated for ${minutes(seconds - last)}. ${why}`);
  }
  for (const { id, since, answer } of health.failing) {
    if (seconds - since < FAILING_SECONDS) continue;
    problems.push(
      `Alerts have not reached the target ${id} for ${minutes(seconds - since)}. It answered: ${answer.replace(/[.\s]*$/, ".")} ` +
        `Test it with POST /alerts/targets/${id}/test.`,
    );
  }
  return problems;
}

function minutes(seconds: number): string {
  return `${Math.floor(seconds / 60)} minutes`;
}
