/**
 * A local stand-in for the Cloudflare API, for the real wrangler and the real command line: accounts, databases,
 * queues and Workers as state, real SQL, uploaded Workers that run, and faults at any call.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { ApiError, type ApiRequest } from "./answer.ts";
import { answerDatabases } from "./databases.ts";
import { Platform } from "./platform.ts";
import { answerQueues } from "./queues.ts";
import { type Account, newAccount, PERMISSIONS } from "./state.ts";
import { answerWorkers } from "./workers.ts";

export interface Call {
  /** From 1, in the order of arrival. */
  n: number;
  method: string;
  /** Without the account and the query. */
  path: string;
  body: string;
  sender: "metrics-collector" | "wrangler";
}

/** What goes wrong with a call. Undefined: nothing. */
export type Fault =
  /** The connection is cut before the call is done, or after. */
  | { cut: "before" | "after" }
  | { status: number; code: number; message: string; retryAfterSeconds?: number }
  | { delayMs: number };

interface Token {
  permissions: readonly string[];
  accounts: readonly string[];
}

export const FIRST_ACCOUNT = "a".repeat(32);
export const SECOND_ACCOUNT = "b".repeat(32);

export class StandIn {
  accounts = new Map<string, Account>();
  tokens = new Map<string, Token>();
  calls: Call[] = [];
  /** What analytics say of every database. */
  usage = { rowsRead: 0, rowsWritten: 0 };
  fault: (call: Call) => Fault | undefined | Promise<Fault | undefined> = () => undefined;
  readonly #platform: Platform;
  readonly #api: Server;
  readonly #edge: Server;
  /** Workers as they run, by what has been started. */
  readonly #running = new Map<string, string>();

  private constructor(platform: Platform) {
    this.#platform = platform;
    this.#api = createServer((request, response) => void this.#answer(request, response));
    this.#edge = createServer((request, response) => void this.#serve(request, response));
    this.reset();
  }

  static async start(): Promise<StandIn> {
    const standIn = new StandIn(await Platform.start());
    for (const server of [standIn.#api, standIn.#edge]) {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
    }
    return standIn;
  }

  /** A new world without the old one's Workers: one account, and the token "good" that may do everything in it. */
  reset(): Account {
    const account = newAccount(FIRST_ACCOUNT, "First");
    this.accounts = new Map([[account.id, account]]);
    this.tokens = new Map([["good", { permissions: PERMISSIONS, accounts: [account.id] }]]);
    this.calls = [];
    this.usage = { rowsRead: 0, rowsWritten: 0 };
    this.fault = () => undefined;
    this.#running.clear();
    this.#platform.forgetWorkers();
    return account;
  }

  /** All that the account holds, to compare with later. */
  snapshot(): unknown {
    return JSON.parse(
      JSON.stringify(this.account, (_, value: unknown) =>
        value instanceof Map ? Object.fromEntries(value) : value,
      ),
    );
  }

  get account(): Account {
    return this.accounts.get(FIRST_ACCOUNT)!;
  }

  /** For CLOUDFLARE_API_BASE_URL. */
  get url(): string {
    return `http://127.0.0.1:${(this.#api.address() as AddressInfo).port}/client/v4`;
  }

  /** Where a deployed Worker answers. */
  urlOf(name: string, account = FIRST_ACCOUNT): string {
    return `http://127.0.0.1:${(this.#edge.address() as AddressInfo).port}/${account}/${name}`;
  }

  /** A database of nobody yet; gives its id. */
  newDatabase(): Promise<string> {
    return this.#platform.newDatabase();
  }

  database(uuid: string) {
    return this.#platform.database(uuid);
  }

  async stop(): Promise<void> {
    for (const server of [this.#api, this.#edge]) {
      server.close();
      server.closeAllConnections();
    }
    await this.#platform.stop();
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await readRequest(incoming);
    const call: Call = {
      n: this.calls.length + 1,
      method: request.method,
      path: request.path,
      body: new TextDecoder().decode(request.body),
      sender: incoming.headers["user-agent"]?.startsWith("metrics-collector")
        ? "metrics-collector"
        : "wrangler",
    };
    this.calls.push(call);
    const fault = await this.fault(call);
    if (fault && "delayMs" in fault) await sleep(fault.delayMs);
    if (fault && "cut" in fault && fault.cut === "before") return void incoming.socket.destroy();
    if (fault && "status" in fault) {
      const headers =
        fault.retryAfterSeconds === undefined ? {} : { "Retry-After": String(fault.retryAfterSeconds) };
      return send(response, fault.status, failure(fault.code, fault.message), headers);
    }
    try {
      const answer = await this.#route(request);
      if (fault && "cut" in fault) return void incoming.socket.destroy();
      if (request.path === "/graphql") return send(response, 200, answer);
      send(response, 200, isPage(answer) ? { ...success(null), ...answer } : success(answer));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      send(response, error.status, failure(error.code, error.message));
    }
  }

  async #route(request: ApiRequest): Promise<unknown> {
    const { path, url } = request;
    if (path.startsWith("/workers/assets/upload")) return answerWorkers(this.#accountOf(url), request);
    const token = this.#tokenOf(request);
    if (path === "/graphql") return this.#analytics(token);
    if (path === "/user/tokens/verify") return { id: "token", status: "active" };
    if (path === "/user") throw new ApiError(403, 9109, "Unauthorized to access requested resource");
    const own = token.accounts.map((id) => this.accounts.get(id)!);
    if (path === "/accounts") {
      const isAllowed = token.permissions.includes("Account Settings Read");
      const shown = isAllowed ? own.map(({ id, name }) => ({ id, name })) : [];
      return { result: shown, result_info: { page: 1, per_page: 100, total_count: shown.length } };
    }
    if (path === "/memberships") {
      demand(token, "Memberships", "GET");
      return own.map(({ id, name }) => ({ id, account: { id, name } }));
    }
    const account = this.#accountOf(url);
    if (!token.accounts.includes(account.id)) throw denied();
    if (path.startsWith("/d1/")) {
      demand(token, "D1", request.method);
      return answerDatabases(account, request, this.#platform);
    }
    if (path.startsWith("/queues")) {
      demand(token, "Queues", request.method);
      return answerQueues(account, request);
    }
    demand(token, "Workers Scripts", request.method);
    return answerWorkers(account, request);
  }

  /** GraphQL answers with errors of its own. */
  #analytics({ permissions }: Token): unknown {
    if (!permissions.includes("Account Analytics Read")) {
      return { data: null, errors: [{ message: "not authorized for that account" }] };
    }
    const groups = [{ sum: this.usage }];
    return { data: { viewer: { accounts: [{ d1AnalyticsAdaptiveGroups: groups }] } }, errors: null };
  }

  #tokenOf({ headers }: ApiRequest): Token {
    const token = this.tokens.get((headers.get("Authorization") ?? "").replace("Bearer ", ""));
    if (!token) throw new ApiError(401, 1000, "Invalid API Token");
    return token;
  }

  #accountOf(url: URL): Account {
    const [, id = ""] = /\/accounts\/([^/]+)/.exec(url.pathname) ?? [];
    const account = this.accounts.get(id);
    if (!account) throw denied();
    return account;
  }

  /** The internet's side: /ACCOUNT/NAME/path reaches the Worker. */
  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, headers, body, url } = await readRequest(incoming);
    const [, id = "", name = "", ...rest] = url.pathname.split("/");
    const account = this.accounts.get(id);
    const script = account?.scripts.get(name);
    if (!account || !script?.version) return void response.writeHead(404).end("error code: 1042");
    const state = JSON.stringify([script.version.id, [...script.secrets], account.queues]);
    const key = `${id}/${name}`;
    if (this.#running.get(key) !== state) {
      await this.#platform.run(account, name, script);
      this.#running.set(key, state);
    }
    const inner = new URL(`/${rest.join("/")}${url.search}`, "https://worker.example");
    const init = {
      method,
      headers,
      ...(method === "GET" || method === "HEAD" ? {} : { body: body as BodyInit }),
    };
    const answer = await this.#platform.fetch(account, name, new Request(inner, init));
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(Buffer.from(await answer.arrayBuffer()));
  }
}

const denied = () => new ApiError(403, 10000, "Authentication error");

function demand({ permissions }: Token, what: string, method: string): void {
  const sufficient = [`${what} Edit`, ...(method === "GET" ? [`${what} Read`] : [])];
  if (!permissions.some((permission) => sufficient.includes(permission))) throw denied();
}

async function readRequest(incoming: IncomingMessage): Promise<ApiRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const url = new URL(incoming.url ?? "/", "http://127.0.0.1");
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (typeof value === "string" && !["host", "connection", "content-length"].includes(name))
      headers.set(name, value);
  }
  const path = url.pathname.replace(/^\/client\/v4/, "").replace(/^\/accounts\/[^/]+/, "") || "/";
  return {
    method: incoming.method ?? "GET",
    url,
    path: url.pathname.endsWith("/accounts") ? "/accounts" : path,
    headers,
    body: Buffer.concat(chunks),
  };
}

function isPage(answer: unknown): answer is { result: unknown; result_info: object } {
  return typeof answer === "object" && answer !== null && "result_info" in answer;
}

const success = (result: unknown) => ({ success: true, errors: [], messages: [], result });
const failure = (code: number, message: string) => ({
  success: false,
  errors: [{ code, message }],
  messages: [],
  result: null,
});

function send(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, {
    "Content-Type": "application/json",
    Date: new Date().toUTCString(),
    ...headers,
  });
  response.end(JSON.stringify(body));
}
