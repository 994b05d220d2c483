/** An HTTP proxy that acts as a faulty network between clients and server. The seed decides what happens to a request. */
import { once } from "node:events";
import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../random.ts";

const FAULTS = [
  "request dropped",
  "response dropped",
  "delayed",
  "sent twice",
  "sent again later",
  "request cut short",
  "response cut short",
  "connection reset",
] as const;
export type Fault = (typeof FAULTS)[number];

interface Received {
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  body: Buffer;
}

interface Answer {
  status: number;
  headers: IncomingMessage["headers"];
  body: Buffer;
}

export class Proxy {
  /** How often each fault was done. */
  readonly faults: Partial<Record<Fault, number>> = {};
  /** How many batches the server recognised as duplicates. */
  duplicatesRefused = 0;
  /** If false, the proxy forwards everything without faults. */
  isFaulty = true;
  readonly #server: Server;
  readonly #target: { port: number };
  readonly #random: Random;
  readonly #agent = new Agent({ keepAlive: false });
  readonly #background = new Set<Promise<unknown>>();

  private constructor(target: { port: number }, random: Random) {
    this.#target = target;
    this.#random = random;
    this.#server = createServer((incoming, response) => {
      this.#handle(incoming, response).catch(() => response.destroy());
    });
  }

  static async start(target: { port: number }, random: Random): Promise<Proxy> {
    const proxy = new Proxy(target, random);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await Promise.allSettled(this.#background);
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const received: Received = {
      method: incoming.method!,
      path: incoming.url!,
      headers: incoming.headers,
      body: Buffer.concat(await incoming.toArray()),
    };
    const fault = this.isFaulty && this.#random.chance(0.5) ? this.#random.pick(FAULTS) : undefined;
    if (fault) this.faults[fault] = (this.faults[fault] ?? 0) + 1;
    switch (fault) {
      case "request dropped":
        return void response.destroy();
      case "connection reset":
        return void response.socket?.resetAndDestroy();
      case "request cut short":
        await this.#forward(received, Math.floor(received.body.length * this.#random.next())).catch(() => {});
        return void response.destroy();
      case "response dropped":
        await this.#forward(received);
        return void response.destroy();
      case "delayed":
        await sleep(this.#random.between(10, 3_000));
        break;
      case "sent twice":
        this.#inBackground(this.#forward(received));
        break;
      case "sent again later":
        this.#inBackground(sleep(this.#random.between(10, 10_000)).then(() => this.#forward(received)));
        break;
    }
    const { status, headers, body } = await this.#forward(received);
    const { "transfer-encoding": _, connection: __, ...kept } = headers;
    response.writeHead(status, { ...kept, "content-length": body.length });
    if (fault !== "response cut short") return void response.end(body);
    response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.destroy());
  }

  /** Forwards a request to the server. With `cutAt`, it closes the connection after that many bytes of the body. */
  async #forward({ method, path, headers, body }: Received, cutAt?: number): Promise<Answer> {
    const outgoing = request({
      host: "127.0.0.1",
      port: this.#target.port,
      method,
      path,
      headers: {
        ...headers,
        "accept-encoding": "identity",
        connection: "close",
        "content-length": body.length,
      },
      agent: this.#agent,
      timeout: 20_000,
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error("The server did not answer within 20 s.")));
    if (cutAt === undefined) outgoing.end(body);
    else outgoing.write(body.subarray(0, cutAt), () => setTimeout(() => outgoing.destroy(), 20));
    const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
    const answered = Buffer.concat(await answer.toArray());
    if (answer.statusCode === 202 && answered.includes('"duplicate":true')) this.duplicatesRefused++;
    return { status: answer.statusCode!, headers: answer.headers, body: answered };
  }

  #inBackground(work: Promise<unknown>): void {
    const settled = work.catch(() => {}).finally(() => this.#background.delete(settled));
    this.#background.add(settled);
  }
}
