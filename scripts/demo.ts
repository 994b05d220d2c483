/**
 * `npm run demo`: runs the example against the server at METRICS_URL, or against one of its own where none answers,
 * and prints what `GET /metrics` then says. With `-- --live`, a small shop runs instead, until Ctrl-C, for the
 * dashboard to show.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runShop } from "../examples/live.ts";
import { callTwoFunctions } from "../examples/two-functions.ts";
import { answers, type Listing, Server } from "./server.ts";

const show = process.argv.includes("--live") ? keepRunning : demonstrate;

const url = process.env.METRICS_URL ?? "http://127.0.0.1:8787";
if (await answers(url)) {
  await show(url);
} else {
  console.log(`No server answers at ${url}: starting one for this demo.`);
  const stateFolder = await mkdtemp(join(tmpdir(), "metrics-collector-demo-"));
  try {
    const server = await Server.start({ stateFolder });
    try {
      await show(server.url);
    } finally {
      await server.stop();
    }
  } finally {
    await rm(stateFolder, { recursive: true, force: true });
  }
}

async function keepRunning(url: string): Promise<void> {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => controller.abort());
  console.log(`A small shop is open, and its dashboard is at ${url}/?range=15m`);
  console.log(
    "In a minute and a half something breaks, and two minutes later it is well again. Ctrl-C ends it.\n",
  );
  await runShop(url, controller.signal, (news) => console.log(`${new Date().toLocaleTimeString()}  ${news}`));
}

async function demonstrate(url: string): Promise<void> {
  console.log("Calling successful_function 5 times and error_function 3 times …");
  await callTwoFunctions(url);
  const response = await fetch(new URL("/metrics", url));
  if (!response.ok)
    throw new Error(`GET ${url}/metrics answered ${response.status}: ${await response.text()}`);
  const { functions } = (await response.json()) as Listing;
  const rows = functions.filter(({ service }) => service === "demo");
  console.log(`\nGET ${url}/metrics\n`);
  printTable(
    ["function", "calls", "average", "errors"],
    rows.map((row) => [
      row.function,
      String(row.calls),
      row.averageMs === null ? "not measurable" : `${row.averageMs.toFixed(1)} ms`,
      String(row.errors),
    ]),
  );
}

function printTable(head: string[], rows: string[][]): void {
  const widths = head.map((title, column) =>
    Math.max(...[head, ...rows].map((row) => row[column]!.length), title.length),
  );
  const line = (row: string[]) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join("   ");
  console.log(line(head));
  console.log(widths.map((width) => "─".repeat(width)).join("───"));
  for (const row of rows) console.log(line(row));
}
