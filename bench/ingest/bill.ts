/**
 * Measures what a million calls cost at Cloudflare's list prices, with default settings, 20 functions and 10 processes
 * that report every 30 s.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "../../scripts/random.ts";
import { serve } from "./collector.ts";
import { sumOf } from "./samples.ts";
import type { Counts } from "./worker.ts";

const FUNCTIONS = 20;
const PROCESSES = 10;
const REPORT_SECONDS = 30;
/** The time that one flush covers: the default MAX_WAITING_TIME. */
const WINDOW_SECONDS = 300;
/** Dollars per unit, beyond the included use. */
const PRICES: Counts = {
  requests: 0.3e-6,
  objectRequests: 0.15e-6,
  objectRows: 1e-6,
  databaseRows: 1e-6,
  queueOperations: 0.4e-6,
};

export interface Bill {
  callsPerSecond: number;
  /** Per million calls. */
  counts: Counts;
  dollars: number;
}

/** Sends what the clients would send during two flushes, and counts what the second one costs. */
export async function measureBill(folder: string, callsPerSecond: number): Promise<Bill> {
  const random = new Random(1);
  const reports = reportsOf(random, callsPerSecond);
  const items = reports.reduce((sum, report) => sum + report.length, 0);
  // The last sample of a window triggers the flush. With default settings the clock would.
  await using collector = await serve(folder, `bill-${callsPerSecond}`, {
    MAX_ITEMS: String(items),
    COUNTED: "true",
  });
  const read = async () => (await fetch(`${collector.url}/counts`)).json<Counts>();
  const runWindow = async (window: number) => {
    for (const [number, samples] of reports.entries()) {
      const response = await fetch(`${collector.url}/samples`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "Idempotency-Key": `${window}:${number}` },
        body: JSON.stringify({ service: "bench", samples }),
      });
      if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`);
    }
    await untilFlushed(collector.url);
  };
  // The first window is not counted, since it also creates tables and functions.
  await runWindow(0);
  const before = await read();
  await runWindow(1);
  const after = await read();

  const calls = callsPerSecond * WINDOW_SECONDS;
  const counts = { ...after };
  for (const key of Object.keys(counts) as (keyof Counts)[]) {
    counts[key] = ((after[key] - before[key]) / calls) * 1e6;
  }
  // Two days later, the retention job deletes each minute and adds it to its hour.
  const minutes = new Set(
    reports.flat().map(({ function: name, at }) => `${name} ${Math.floor(at / 60_000)}`),
  ).size;
  counts.databaseRows += ((minutes + FUNCTIONS) / calls) * 1e6;
  const dollars = (Object.keys(PRICES) as (keyof Counts)[]).reduce(
    (sum, key) => sum + counts[key] * PRICES[key],
    0,
  );
  return { callsPerSecond, counts, dollars };
}

/** The samples of each POST: for each report of each process, one sum per function that was called. */
function reportsOf(random: Random, callsPerSecond: number) {
  const callsPerReport = (callsPerSecond * REPORT_SECONDS) / PROCESSES;
  const start = Math.floor(Date.now() / 60_000) * 60_000 - WINDOW_SECONDS * 1000;
  return Array.from({ length: (WINDOW_SECONDS / REPORT_SECONDS) * PROCESSES }, (_, i) => {
    const at = start + Math.floor(i / PROCESSES) * REPORT_SECONDS * 1000;
    const calls = new Map<string, number>();
    for (let call = 0; call < callsPerReport; call++) {
      const name = `function_${random.below(FUNCTIONS)}`;
      calls.set(name, (calls.get(name) ?? 0) + 1);
    }
    return [...calls].map(([name, count]) => sumOf(random, name, at, count));
  });
}

async function untilFlushed(url: string): Promise<void> {
  for (let i = 0; i < 200; i++) {
    const health = await (await fetch(`${url}/health`)).json<Record<string, number>>();
    if (health["bufferedBytes"] === 0 && health["unconfirmedFlushes"] === 0) return;
    await sleep(100);
  }
  throw new Error("The flush did not reach D1 within 20 s.");
}
