/**
 * A network between senders and a server that restarts: it cuts every tenth answer, holds requests while the server is away,
 * and kills the server once, in the middle of a request.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const CUT_EVERY = 10;

interface Answer {
  status: number;
  headers: IncomingMessage["headers"];
  body: Buffer;
}

export class CuttingProxy {
  cuts = 0;
  /** Statuses other than 200 that the server answered. */
  readonly refusals: number[] = [];
  /** Answers that tell of something rejected. */
  readonly partial: string[] = [];
  restarts = 0;
  /** Whether a lost answer becomes a 503 instead of a cut connection. */
  says503 = false;
  #restart: { at: number; run: () => Promise<void> } | undefined;
  readonly #server: Server;
  readonly #target: () => Promise<string>;
  #requests = 0;
  #restarting: Promise<void> | undefined;

  private constructor(target: () => Promise<string>) {
    this.#target = target;
    this.#server = createServer((incoming, response) => {
      this.#handle(incoming, response).catch(() => response.destroy());
    });
  }

  /** @param target the server's address, which changes when it restarts */
  static async start(target: () => Promise<string>): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(target);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Lets `run` kill and start the server while the request with that number, counted from now, is under way. */
  restartAfter(requests: number, run: () => Promise<void>): void {
    this.#restart = { at: this.#requests + requests, run };
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Buffer.concat(await incoming.toArray());
    await this.#restarting;
    const number = ++this.#requests;
    if (number === this.#restart?.at) {
      this.restarts++;
      const forwarded = this.#forward(incoming, body).catch(() => undefined);
      this.#restarting = this.#restart.run();
      await Promise.all([forwarded, this.#restarting]);
      return this.#lose(response);
    }
    const answer = await this.#forward(incoming, body);
    if (answer.status !== 200) this.refusals.push(answer.status);
    else if (answer.body.length > 2) this.partial.push(answer.body.toString());
    if (number % CUT_EVERY === 0) {
      this.cuts++;
      return this.#lose(response);
    }
    response.writeHead(answer.status, {
      "content-type": answer.headers["content-type"] ?? "",
      "content-length": answer.body.length,
      ...(answer.headers["retry-after"] === undefined
        ? {}
        : { "retry-after": answer.headers["retry-after"] }),
    });
    response.end(answer.body);
  }

  #lose(response: ServerResponse): void {
    if (this.says503) response.writeHead(503, { "retry-after": "1" }).end();
    else response.destroy();
  }

  async #forward({ method, url, headers }: IncomingMessage, body: Buffer): Promise<Answer> {
    const { "transfer-encoding": _, ...kept } = headers;
    const outgoing = request(new URL(url!, await this.#target()), {
      method: method!,
      headers: { ...kept, "accept-encoding": "identity", "content-length": body.length },
      agent: false,
    });
    outgoing.end(body);
    const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
    return {
      status: answer.statusCode!,
      headers: answer.headers,
      body: Buffer.concat(await answer.toArray()),
    };
  }
}
