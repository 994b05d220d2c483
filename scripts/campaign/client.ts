/** One client process of the campaign. It makes random calls through the real client and reports exactly which. */
import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "../random.ts";
import { addCall, type Tallies } from "./tally.ts";

export interface ClientOptions {
  url: string;
  service: string;
  seed: number;
  /** What it sends. A process of the real client if left out, else one of OpenTelemetry. */
  kind?: "spans" | "cumulative metrics";
}

/** What the process did so far. A read that starts after a report must show all calls that the report acknowledges. */
export interface ClientReport {
  acknowledged: number;
  pending: number;
  dropped: number;
  called: Tallies;
}

const options = JSON.parse(process.argv[2]!) as ClientOptions;
const random = new Random(options.seed);

// During a call, the clock that the client reads is fixed. It starts at `now - durationMs`, and the call itself moves it
// on by `durationMs`. So the measured duration is exactly the intended one. The client takes the clock when it is loaded.
const realNow = performance.now.bind(performance);
let fixedMs: number | undefined;
performance.now = () => fixedMs ?? realNow();
const { createMetricsCollector } = await import("../../client/index.ts");

const metricsCollector = createMetricsCollector({
  url: options.url,
  service: options.service,
  intervalMs: 250,
  timeoutMs: 2_000,
  retryMs: 50,
  onError: () => {},
  onDrop: ({ message }) => console.error(`${options.service}: ${message}`),
});

const called: Tallies = {};
const functions = ["add", "pay", "search"].map((name) => ({
  name,
  run: metricsCollector({ name }, (durationMs: number, error: Error | undefined) => {
    fixedMs! += durationMs;
    if (error) throw error;
  }),
}));

function callOnce(): void {
  const { name, run } = random.pick(functions);
  // One call in twenty lasts 0 ms: shorter than a step of the clock.
  const durationMs = random.chance(0.05) ? 0 : (1 + random.below(2 ** (1 + random.below(14)))) / 8;
  const error = random.chance(0.1) ? new TypeError(`no ${random.below(3)}`) : undefined;
  const now = Date.now();
  fixedMs = Math.floor(realNow()) - durationMs;
  try {
    run(durationMs, error);
  } catch {
    // This is the error that was passed in.
  } finally {
    fixedMs = undefined;
  }
  addCall(called, `${options.service} ${name} ${Math.floor(now / 60_000) * 60}`, durationMs, Boolean(error));
}

/** Whether a call now could be counted in the minute before or after. The campaign makes no calls then. */
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
// Waits until every call is acknowledged. The campaign keeps asking for reports and then ends the process.
await metricsCollector.flush({ timeoutMs: Infinity });
setInterval(() => {}, 1_000);
