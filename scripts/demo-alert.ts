/**
 * The part of `npm run demo -- --alert`: runs a shop and a receiver of webhooks, breaks one function, mends it, and prints the
 * two messages that arrived. Deletes its rule and its target at the end.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createMetricsCollector } from "../client/index.ts";

const RULE = "demo-alert";
const TARGET = "demo-alert";
/** Judges one minute, so that nobody waits long for the end of the demo. */
const ERRORS = {
  kind: "threshold",
  name: "More than 20 % of calls fail",
  selector: { service: "demo-shop" },
  figure: "errorRate",
  above: 0.2,
  window: "1m",
  // The target takes tickets only, so that other rules do not mix in.
  severity: "ticket",
  keepFiringFor: "0s",
};
/** Only ends a demo that hangs. */
const ARRIVES_WITHIN_MS = 6 * 60_000;

interface Message {
  type: string;
  data: { title: string };
}

export interface DemoTokens {
  ingest: string | undefined;
  admin: string | undefined;
}

export async function demonstrateAlert(server: string, { ingest, admin }: DemoTokens): Promise<void> {
  const receiver = await Receiver.start();
  const api = async (method: string, path: string, body?: object) => {
    const response = await fetch(new URL(path, server), {
      method,
      headers: {
        "Content-Type": "application/json",
        ...(admin === undefined ? {} : { Authorization: `Bearer ${admin}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok)
      throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
  };
  const shop = new Shop(server, ingest);
  try {
    await api("PUT", `/alerts/rules/${RULE}`, ERRORS);
    await api("PUT", `/alerts/targets/${TARGET}`, {
      type: "webhook",
      url: receiver.url,
      severities: ["ticket"],
    });
    console.log(`A small shop is running, and a receiver of webhooks at ${receiver.url}.`);
    console.log("The rule: more than 20 % of the calls of a function fail within a minute.\n");
    await sleep(5_000);
    shop.isBroken = true;
    say("chargeCard breaks. Rules are judged at each full minute …");
    const fired = await receiver.next("alert.firing");
    say(`A message arrived, ${seconds(shop.firstFailedAt)} after the first failed call:\n`);
    print(fired);
    shop.isBroken = false;
    const mendedAt = Date.now();
    say("chargeCard works again …");
    const over = await receiver.next("alert.resolved");
    say(`A message arrived, ${seconds(mendedAt)} after chargeCard was mended:\n`);
    print(over);
  } finally {
    await shop.close();
    await api("DELETE", `/alerts/targets/${TARGET}`).catch(() => {});
    await api("DELETE", `/alerts/rules/${RULE}`).catch(() => {});
    receiver.stop();
  }
}

/** Two functions that are called ten times a second. */
class Shop {
  isBroken = false;
  firstFailedAt = Number.POSITIVE_INFINITY;
  readonly #collector: ReturnType<typeof createMetricsCollector>;
  readonly #timer: NodeJS.Timeout;

  constructor(url: string, token: string | undefined) {
    this.#collector = createMetricsCollector({ url, service: "demo-shop", token, intervalMs: 1_000 });
    const chargeCard = this.#collector({ name: "chargeCard" }, async () => {
      await sleep(5);
      if (!this.isBroken) return;
      this.firstFailedAt = Math.min(this.firstFailedAt, Date.now());
      throw new Error("The gateway answered 503 Service Unavailable");
    });
    const listProducts = this.#collector({ name: "listProducts" }, () => sleep(3));
    this.#timer = setInterval(() => {
      void listProducts();
      chargeCard().catch(() => {});
    }, 100);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#collector.close();
  }
}

/** Takes webhooks on a free port of this machine. */
class Receiver {
  readonly url: string;
  readonly #server: HttpServer;
  readonly #messages: Message[] = [];
  #arrived = Promise.withResolvers<void>();

  private constructor(server: HttpServer) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    server.on("request", (request, response) => {
      void read(request).then((body) => {
        this.#messages.push(JSON.parse(body) as Message);
        response.end("ok");
        this.#arrived.resolve();
        this.#arrived = Promise.withResolvers();
      });
    });
  }

  static async start(): Promise<Receiver> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Receiver(server);
  }

  async next(type: string): Promise<Message> {
    const deadline = Date.now() + ARRIVES_WITHIN_MS;
    while (Date.now() < deadline) {
      const found = this.#messages.find((message) => message.type === type);
      if (found) return found;
      await Promise.race([this.#arrived.promise, sleep(1_000)]);
    }
    throw new Error(`No message of the type ${type} arrived within ${ARRIVES_WITHIN_MS / 60_000} minutes.`);
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

async function read(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  return body;
}

function say(news: string): void {
  console.log(`${new Date().toLocaleTimeString("en-GB")}  ${news}`);
}

function print(message: Message): void {
  console.log(`${JSON.stringify(message, null, 2).replaceAll(/^/gm, "    ")}\n`);
}

function seconds(since: number): string {
  return `${Math.round((Date.now() - since) / 1000)} s`;
}
