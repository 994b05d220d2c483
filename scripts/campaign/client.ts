/** One client process: known calls through the real client, and an exact account of them. Run by the campaign. */
import { setTimeout as sleep } from "node:timers/promises";
import { createMetricsCollector } from "../../client/index.ts";
import { Random } from "../random.ts";
import { addCall, type Tallies } from "./tally.ts";

export interface ClientOptions {
  url: string;
  service: string;
  seed: number;
}

/** What the process tells when it is asked. Acknowledged first: asked before a read, all of that must be in it. */
export interface ClientReport {
  acknowledged: number;
  pending: number;
  dropped: number;
  called: Tallies;
}

const options = JSON.parse(process.argv[2]!) as ClientOptions;
const random = new Random(options.seed);
const metricsCollector = createMetricsCollector({
  url: options.url,
  service: options.service,
  intervalMs: 250,
  timeoutMs: 2_000,
  retryMs: 50,
  onError: () => {},
  onDrop: ({ message }) => console.error(`${options.service}: ${message}`),
});

// The clock that the client measures with stands still during a call, and what the call says that it took is between
// its start and now: so every duration is known, to the bit.
const realNow = performance.now.bind(performance);
let fixedMs: number | undefined;
performance.now = () => fixedMs ?? realNow();

const called: Tallies = {};
const functions = ["add", "pay", "search"].map((name) => ({
  name,
  run: metricsCollector({ name }, (durationMs: number, error: Error | undefined) => {
    fixedMs! += durationMs; // now again
    if (error) throw error;
  }),
}));

function callOnce(): void {
  const { name, run } = random.pick(functions);
  // Now and then none that the clock could see.
  const durationMs = random.chance(0.05) ? 0 : (1 + random.below(2 ** (1 + random.below(14)))) / 8;
  const error = random.chance(0.1) ? new TypeError(`no ${random.below(3)}`) : undefined;
  const now = Date.now();
  fixedMs = Math.floor(realNow()) - durationMs;
  try {
    run(durationMs, error);
  } catch {
    // As known as the duration is.
  } finally {
    fixedMs = undefined;
  }
  addCall(called, `${options.service} ${name} ${Math.floor(now / 60_000) * 60}`, durationMs, Boolean(error));
}

/** Whether one may doubt which minute it is. */
function isTurningMinute(): boolean {
  const ms = Date.now() % 60_000;
  return ms < 100 || ms > 59_900;
}

function report(): ClientReport {
  const { acknowledged, pending, dropped } = metricsCollector.stats();
  const lost = Object.values(dropped).reduce((sum, calls) => sum + calls, 0);
  return { acknowledged, pending, dropped: lost, called };
}

const stopping = new AbortController();
process.on("message", (message: { id: number; stop?: boolean }) => {
  if (message.stop) stopping.abort();
  process.send!({ id: message.id, report: report() });
});
process.on("disconnect", () => process.exit());

while (!stopping.signal.aborted) {
  if (!isTurningMinute()) for (let i = random.below(8); i > 0; i--) callOnce();
  await sleep(random.between(0, 20));
}
// Until every call has its answer; the campaign asks on, and ends the process.
await metricsCollector.flush({ timeoutMs: Infinity });
setInterval(() => {}, 1_000);
