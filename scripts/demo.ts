/**
 * `npm run demo`: runs the example against the server at METRICS_URL and prints what `GET /metrics` shows. If no server
 * answers there, it starts one for the demo and deletes its data at the end. With `-- --live`, it simulates a small shop
 * until Ctrl-C, so that the dashboard has something to show.
 *
 * A server with tokens needs METRICS_INGEST_TOKEN and METRICS_READ_TOKEN, and for `--alert` METRICS_ADMIN_TOKEN.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runShop } from "../examples/live.ts";
import { callTwoFunctions } from "../examples/two-functions.ts";
import { demonstrateAlert } from "./demo-alert.ts";
import { type Listing, probe, Server } from "./server.ts";

const {
  METRICS_URL,
  METRICS_INGEST_TOKEN: ingestToken,
  METRICS_READ_TOKEN: readToken,
  METRICS_ADMIN_TOKEN: adminToken,
} = process.env;
const url = METRICS_URL ?? "http://127.0.0.1:8787";
const isLive = process.argv.includes("--live");
const isAlert = process.argv.includes("--alert");
const show = isLive ? keepRunning : isAlert ? showAlert : demonstrate;

switch (await probe(url, readToken)) {
  case "collector":
  case "closed":
    await showOn(url);
    break;
  case "other":
    console.error(
      `The program that answers at ${url} is not a MetricsCollector. ` +
        "Set METRICS_URL to the address of a MetricsCollector, or to a free port to start one for the demo.",
    );
    process.exitCode = 1;
    break;
  case "nothing":
    console.log(`No server answers at ${url}. Starting one for this demo.`);
    await showOnOwnServer();
}

/** Shows the demo on a server that runs already, if the tokens are right. */
async function showOn(server: string): Promise<void> {
  const refusal = (await refusalToIngest()) ?? (await refusalToRead());
  if (refusal !== undefined) {
    console.error(
      `The server at ${server} refuses the demo: ${refusal}\n` +
        "Set METRICS_INGEST_TOKEN to a token in its INGEST_TOKENS and METRICS_READ_TOKEN to a token in its READ_TOKENS.",
    );
    process.exitCode = 1;
    return;
  }
  await show(server);
  console.log(`\nThe server keeps these numbers. To see the page, open ${server}`);
}

/** Sends no samples. Returns the server's own words if it does not accept the token. */
async function refusalToIngest(): Promise<string | undefined> {
  const headers = { "Content-Type": "application/json", ...authorization(ingestToken) };
  const body = JSON.stringify({ service: "demo", samples: [] });
  return errorIn(await fetch(new URL("/samples", url), { method: "POST", headers, body }));
}

async function refusalToRead(): Promise<string | undefined> {
  return errorIn(await fetch(new URL("/health", url), { headers: authorization(readToken) }));
}

async function errorIn(response: Response): Promise<string | undefined> {
  const { error } = (await response.json()) as { error?: { message: string } };
  return error?.message;
}

function authorization(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { Authorization: `Bearer ${token}` };
}

/** Starts a server for the demo. Stops it and deletes its data at the end. */
async function showOnOwnServer(): Promise<void> {
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
  console.log(`
The demo has stopped its server and deleted the data. To see the page and keep the data, start a server:

  npm start

Then open the address in its last line, and run this in another terminal:

  npm run demo${isLive ? " -- --live" : isAlert ? " -- --alert" : ""}`);
}

function showAlert(server: string): Promise<void> {
  return demonstrateAlert(server, { ingest: ingestToken, admin: adminToken });
}

async function keepRunning(server: string): Promise<void> {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => controller.abort());
  console.log(`A small shop is running. See it at ${server}/?range=15m`);
  console.log(
    "After a minute and a half something breaks. Two minutes later it works again. Ctrl-C ends it.\n",
  );
  const say = (news: string) => console.log(`${new Date().toLocaleTimeString()}  ${news}`);
  await runShop(server, controller.signal, say, ingestToken);
}

async function demonstrate(server: string): Promise<void> {
  console.log("Calling successful_function 5 times and error_function 3 times …");
  await callTwoFunctions(server, ingestToken);
  const address = new URL("/metrics?service=demo", server).href;
  const response = await fetch(address, { headers: authorization(readToken) });
  if (!response.ok) throw new Error(`GET ${address} answered ${response.status}: ${await response.text()}`);
  const { functions } = (await response.json()) as Listing;
  console.log(`\nGET ${address}\n`);
  printTable(
    ["function", "calls", "average", "errors"],
    functions.map((row) => [
      row.function,
      String(row.calls),
      row.averageMs === null ? "not measured" : `${row.averageMs.toFixed(1)} ms`,
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
