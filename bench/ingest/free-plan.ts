/**
 * `npm run bench:plan`: what 20 functions from 10 processes use in a day at the default settings, beside each limit of
 * the Free plan. It prints the table of docs/cost.md.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { measureBill } from "./bill.ts";
import { bundle } from "./collector.ts";

/** At this rate each process calls each function in nearly every report, so more calls make no more rows. */
const CALLS_PER_SECOND = 100;
const CALLS_PER_DAY = CALLS_PER_SECOND * 86_400;

const folder = await mkdtemp(join(tmpdir(), "metrics-collector-plan-"));
try {
  await bundle(folder);
  const { counts } = await measureBill(folder, CALLS_PER_SECOND);
  const perDay = (perMillionCalls: number) => Math.round((perMillionCalls * CALLS_PER_DAY) / 1e6);
  const rows: [string, number, number][] = [
    ["requests to the Worker, deliveries of its queue among them", perDay(counts.requests), 100_000],
    ["requests to the Durable Object, alarms among them", perDay(counts.objectRequests), 100_000],
    ["rows written in the Durable Object", perDay(counts.objectRows), 100_000],
    ["rows written in D1", perDay(counts.databaseRows), 100_000],
    ["queue operations", perDay(counts.queueOperations), 10_000],
  ];
  console.log("| a day | measured | limit | share |\n|---|--:|--:|--:|");
  for (const [what, used, limit] of rows) {
    console.log(
      `| ${what} | ${used.toLocaleString("en")} | ${limit.toLocaleString("en")} | ${Math.round((used / limit) * 100)} % |`,
    );
  }
  if (rows.some(([, used, limit]) => used > limit)) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
