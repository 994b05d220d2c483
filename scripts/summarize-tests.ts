/** Prints how long the tests of each folder took and, as the last line, how many passed. Arguments: vitest's JSON reports. */
import { readFileSync } from "node:fs";
import { dirname, relative, sep } from "node:path";
import { PROJECT } from "./wrangler.ts";

/** The fields of vitest's JSON report that are read here. Times are in epoch milliseconds. */
interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  testResults: { name: string; startTime: number; endTime: number }[];
}

const reports = process.argv.slice(2).map((path) => JSON.parse(readFileSync(path, "utf8")) as Report);
const secondsByFolder = new Map<string, number>();
for (const { name, startTime, endTime } of reports.flatMap(({ testResults }) => testResults)) {
  const folder = dirname(relative(PROJECT, name)).split(sep).slice(0, 2).join("/");
  secondsByFolder.set(folder, (secondsByFolder.get(folder) ?? 0) + (endTime - startTime) / 1000);
}
console.log("\nSeconds per folder. Files that run at the same time count in full.");
for (const [folder, seconds] of [...secondsByFolder].sort(([, a], [, b]) => b - a)) {
  console.log(`${folder.padEnd(20)}${seconds.toFixed(1).padStart(8)}`);
}
const total = (count: (report: Report) => number) =>
  reports.map(count).reduce((sum, number) => sum + number, 0);
const passed = total(({ numPassedTests }) => numPassedTests);
const failed = total(({ numFailedTests }) => numFailedTests);
const skipped = total(({ numPendingTests }) => numPendingTests);
console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
