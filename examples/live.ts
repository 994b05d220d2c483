/** A small shop that is always open: several services, wrapped, under a load that comes and goes, with an incident. */
import { setTimeout as sleep } from "node:timers/promises";
import { createMetricsCollector } from "../client/index.ts";

/** How often the card gateway breaks, and for how long: a newcomer need not wait for it. */
const INCIDENT_EVERY_MS = 6 * 60_000;
const INCIDENT_MS = 2 * 60_000;
const FIRST_INCIDENT_MS = 90_000;

class CardGatewayError extends Error {
  override name = "CardGatewayError";
}
class OutOfStock extends Error {
  override name = "OutOfStock";
}

/** Runs until the signal says so, and resolves once every call is acknowledged. Tells of the incident as it goes. */
export async function runShop(url: string, signal: AbortSignal, say: (news: string) => void): Promise<void> {
  const startedAt = Date.now();
  const isIncident = () =>
    (Date.now() - startedAt + INCIDENT_EVERY_MS - FIRST_INCIDENT_MS) % INCIDENT_EVERY_MS < INCIDENT_MS &&
    Date.now() - startedAt >= FIRST_INCIDENT_MS;

  const collect = (service: string) => createMetricsCollector({ url, service, intervalMs: 2_000 });
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
    // Fast from its cache, slow without: two shapes in one histogram.
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

  // Each of them goes on by itself, so that a slow one holds no other up.
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

/** Again and again, with pauses that breathe: the load rises and falls within some minutes. */
async function repeat(work: () => Promise<unknown>, pauseMs: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await work().catch(() => {
      // It is what a shop's caller would see; the shop goes on.
    });
    const tide = 1 + 0.5 * Math.sin(Date.now() / 90_000);
    await sleep(pauseMs * tide * (0.5 + Math.random()));
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
    if (is && !was) say("The card gateway breaks: chargeCard is slow and fails.");
    if (was && !is) say("The card gateway is well again.");
    was = is;
    await sleep(500);
  }
}

/** Some milliseconds around the median, most of them near, a few far off. */
function takes(medianMs: number, spread: number): Promise<void> {
  const normal = Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  return sleep(medianMs * Math.exp(spread * normal));
}

/** Keeps the processor busy for so many milliseconds. */
function busy(ms: number): void {
  const end = performance.now() + ms * (0.5 + Math.random());
  while (performance.now() < end);
}

function chance(probability: number): boolean {
  return Math.random() < probability;
}
