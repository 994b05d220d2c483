/**
 * `npm run bench:alerts-cost`: what alerts use in a day, beside each limit of the Free plan, with 20 functions that are always
 * called and 10 rules. It lets an hour pass minute by minute and scales it to a day. It prints the table of
 * docs/cost.md.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle, serve } from "../../scripts/runtime.ts";
import { seed } from "../read/seed.ts";
import type { AlertCounts } from "./cost-worker.ts";

const FUNCTIONS = 20;
const MINUTES = 60;
const PER_DAY = 1440 / MINUTES;
/**
 * No calls arrive while the hour passes. Functions that are always called have a row in D1 for each of the last eleven minutes,
 * which every evaluation reads. This is added to what is measured.
 */
const ROWS_OF_RECENT_MINUTES = FUNCTIONS * 11 * 1440;

const RULES: object[] = [
  { kind: "threshold", figure: "errorRate", above: 0.05 },
  { kind: "threshold", figure: "calls", below: 1, window: "10m" },
  { kind: "threshold", figure: "p99Ms", above: 300 },
  { kind: "threshold", figure: "averageMs", above: 200, window: "15m" },
  { kind: "objective", success: 99.9 },
  { kind: "objective", latency: [300, 99] },
  { kind: "objective", success: 99, budgetBelow: 0.1 },
  { kind: "silence" },
  { kind: "change", figure: "errorRate" },
  { kind: "change", figure: "p95Ms" },
];

const folder = await mkdtemp(join(tmpdir(), "metrics-collector-alerts-"));
try {
  const script = await bundle(join(import.meta.dirname, "cost-worker.ts"), folder);
  await using runtime = await serve({
    script,
    stateFolder: join(folder, "state"),
  });
  await seed(runtime.db, { functions: FUNCTIONS, busy: FUNCTIONS, days: 30, callsPerMinute: 20 });
  const api = async <Answer>(path: string, body?: object): Promise<Answer> => {
    const response = await fetch(runtime.url + path, {
      method: body ? "PUT" : "GET",
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Answer;
  };
  for (const [i, rule] of RULES.entries()) await api(`/alerts/rules/rule${i}`, rule);
  const first = await api<AlertCounts>("/pass?minutes=10");
  const counts = await api<AlertCounts>(`/pass?minutes=${MINUTES}`);
  const limits: [string, keyof AlertCounts, number][] = [
    ["requests to Durable Objects: alarms, and reads of the buffer", "objectRequests", 100_000],
    ["rows written in the Durable Object, each `setAlarm` among them", "objectRowsWritten", 100_000],
    ["rows read in the Durable Object", "objectRowsRead", 5_000_000],
    ["rows read in D1", "databaseRowsRead", 5_000_000],
  ];
  console.log("| a day, with 20 functions and 10 rules | used | limit | share |\n|---|--:|--:|--:|");
  for (const [what, field, limit] of limits) {
    const computed = field === "databaseRowsRead" ? ROWS_OF_RECENT_MINUTES : 0;
    const used = Math.round(counts[field] * PER_DAY) + computed;
    console.log(
      `| ${what} | ${used.toLocaleString("en")} | ${limit.toLocaleString("en")} | ${((used / limit) * 100).toFixed(1)} % |`,
    );
    if (used > limit) process.exitCode = 1;
  }
  console.log(
    `\nThe first ten minutes, in which the past is read once: ${first.databaseRowsRead.toLocaleString("en")} rows of D1.`,
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}
