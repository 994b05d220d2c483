/** Simulates a small shop: several services with wrapped functions, varying load, and an incident every six minutes. */
import { setTimeout as sleep } from "node:timers/promises";
import { createMetricsCollector } from "../client/index.ts";

/** How often the card gateway breaks and for how long. The first incident comes early, so that nobody waits long for it. */
const INCIDENT_EVERY_MS = 6 * 60_000;
const INCIDENT_MS = 2 * 60_000;
const FIRST_INCIDENT_MS = 90_000;

class CardGatewayError extends Error {
  override name = "CardGatewayError";
}
class OutOfStock extends Error {
  override name = "OutOfStock";
}

/** Runs until `signal` is aborted. Resolves once every call is acknowledged. `say` gets a sentence when an incident starts or ends. */
export async function runShop(
  url: string,
  signal: AbortSignal,
  say: (news: string) => void,
  token?: string,
): Promise<void> {
  const startedAt = Date.now();
  const isIncident = () =>
    (Date.now() - startedAt + INCIDENT_EVERY_MS - FIRST_INCIDENT_MS) % INCIDENT_EVERY_MS < INCIDENT_MS &&
    Date.now() - startedAt >= FIRST_INCIDENT_MS;

  const collect = (service: string) => createMetricsCollector({ url, service, token, intervalMs: 2_000 });
  const web = collect("web");
  const catalog = collect("catalog");
  const payments = collect("payments");
  const search = collect("search");
  const mail = collect("mail");

  const readSession = web({ module: "session" }, function readSession() {
    return busy(0.02);
  });
  const renderPage = web(async function renderPage() {
    await takes(24, 0.5);
  });
  const listProducts = catalog(async function listProducts() {
    await takes(12, 0.4);
  });
  const reserveStock = catalog({ module: "stock" }, async function reserveStock() {
    await takes(18, 0.4);
    if (chance(0.01)) throw new OutOfStock("Only 0 of 1 are left");
  });
  const suggest = search(async function suggest() {
    // Fast with the cache, slow without it. The histogram shows two peaks.
    await takes(chance(0.85) ? 5 : 70, 0.3);
  });
  const chargeCard = payments({ module: "card" }, async function chargeCard() {
    await takes(isIncident() ? 420 : 90, 0.4);
    if (isIncident() && chance(0.35))
      throw new CardGatewayError("The gateway answered 503 Service Unavailable");
    if (chance(0.004)) throw new CardGatewayError("The card was declined: insufficient funds");
  });
  const sendReceipt = mail(async function sendReceipt() {
    await takes(160, 0.6);
  });

  const visit = async () => {
    readSession();
    await listProducts();
    await renderPage();
  };
  const buy = async () => {
    await reserveStock();
    await chargeCard();
    await sendReceipt();
  };

  // These loops run independently, so that a slow one does not delay the others.
  await Promise.all([
    repeat(visit, 40, signal),
    repeat(visit, 70, signal),
    repeat(suggest, 30, signal),
    repeat(buy, 120, signal),
    repeat(buy, 250, signal),
    tell(isIncident, signal, say),
  ]);
  await Promise.all([web, catalog, payments, search, mail].map((collector) => collector.close()));
}

/** Repeats the work until the signal. The pauses grow and shrink over minutes, so the load varies. */
async function repeat(work: () => Promise<unknown>, pauseMs: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await work().catch(() => {
      // A visitor would see this error. The shop continues.
    });
    const slowdown = 1 + 0.5 * Math.sin(Date.now() / 90_000);
    await sleep(pauseMs * slowdown * (0.5 + Math.random()));
  }
}

async function tell(
  isIncident: () => boolean,
  signal: AbortSignal,
  say: (news: string) => void,
): Promise<void> {
  let was = false;
  while (!signal.aborted) {
    const is = isIncident();
    if (is && !was) say("The card gateway breaks. chargeCard is slow and often fails.");
    if (was && !is) say("The card gateway works again.");
    was = is;
    await sleep(500);
  }
}

/** Waits for a random time with a log-normal distribution around the median. */
function takes(medianMs: number, spread: number): Promise<void> {
  const normal = Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  return sleep(medianMs * Math.exp(spread * normal));
}

/** Keeps the processor busy for about `ms` milliseconds. */
function busy(ms: number): void {
  const end = performance.now() + ms * (0.5 + Math.random());
  while (performance.now() < end);
}

function chance(probability: number): boolean {
  return Math.random() < probability;
}
