/**
 * Requests to the Cloudflare API. Each is tried again after 429, 5xx and a cut connection, so a request whose answer
 * was lost may arrive twice: callers send only what may.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../failure.ts";
import { installation } from "../installation.ts";
import { type ApiProblem, CloudflareError } from "./cloudflare-error.ts";
import { readCredentials } from "./credentials.ts";

interface Envelope<Result> {
  success: boolean;
  errors?: ApiProblem[];
  result: Result;
  result_info?: { total_count?: number; total_pages?: number };
}

const ATTEMPTS = 4;
const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;
const TIMEOUT_MS = 60_000;
/** The most that every list of the API allows; that of accounts allows no more. */
const PER_PAGE = 50;

export class CloudflareApi {
  readonly #base: string;
  readonly #headers: Record<string, string>;

  constructor(base: string, headers: Record<string, string>) {
    this.#base = base.replace(/\/$/, "");
    this.#headers = headers;
  }

  static async open(): Promise<CloudflareApi> {
    const base = process.env.CLOUDFLARE_API_BASE_URL || "https://api.cloudflare.com/client/v4";
    return new CloudflareApi(base, await readCredentials());
  }

  get<Result>(path: string): Promise<Result> {
    return this.send<Result>("GET", path);
  }

  /** The result, or undefined where the API answers with one of the codes that say that there is none. */
  async find<Result>(path: string, ...absent: number[]): Promise<Result | undefined> {
    try {
      return await this.get<Result>(path);
    } catch (error) {
      if (error instanceof CloudflareError && error.has(...absent)) return undefined;
      throw error;
    }
  }

  /** Every page of a list. */
  async list<Item>(path: string): Promise<Item[]> {
    const items: Item[] = [];
    const separator = path.includes("?") ? "&" : "?";
    for (let page = 1; ; page++) {
      const query = `${path}${separator}page=${page}&per_page=${PER_PAGE}`;
      const { result, result_info: info } = await this.#request<Item[]>("GET", query);
      items.push(...result);
      const isLast =
        info?.total_count === undefined ? result.length < PER_PAGE : items.length >= info.total_count;
      if (isLast || result.length === 0) return items;
    }
  }

  async send<Result>(method: string, path: string, body?: unknown): Promise<Result> {
    return (await this.#request<Result>(method, path, body)).result;
  }

  /** GraphQL answers have no envelope. @throws {Failure} if there is no answer */
  async graphql<Answer>(body: { query: string; variables: object }): Promise<Answer> {
    const { response, problem } = await this.#attempt("POST", "/graphql", body);
    if (!response?.ok) {
      throw new Failure(`Cloudflare's analytics cannot be read: ${problem ?? `status ${response?.status}`}.`);
    }
    return (await response.json()) as Answer;
  }

  async #request<Result>(method: string, path: string, body?: unknown): Promise<Envelope<Result>> {
    for (let attempt = 1; ; attempt++) {
      const { response, problem } = await this.#attempt(method, path, body);
      const mayPass = response === undefined || response.status === 429 || response.status >= 500;
      if (response && !mayPass) return readEnvelope<Result>(method, path, response);
      if (attempt >= ATTEMPTS) {
        if (response) return readEnvelope<Result>(method, path, response);
        throw new Failure(`Cloudflare cannot be reached at ${this.#base}: ${problem}. Check the network.`);
      }
      await sleep(delayOf(attempt, response?.headers.get("Retry-After")));
    }
  }

  async #attempt(
    method: string,
    path: string,
    body: unknown,
  ): Promise<{ response?: Response; problem?: string }> {
    try {
      const response = await fetch(this.#base + path, {
        method,
        headers: {
          ...this.#headers,
          "User-Agent": `metrics-collector/${installation.version}`,
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      // Read whole here, so that a connection cut in the middle of an answer is tried again as well.
      const text = await response.text();
      return { response: new Response(text, { status: response.status, headers: response.headers }) };
    } catch (error) {
      const { cause, message } = error as Error & { cause?: Error };
      return { problem: cause?.message ?? message };
    }
  }
}

function delayOf(attempt: number, retryAfter: string | null | undefined): number {
  const asked = Number(retryAfter) * 1000;
  if (retryAfter && Number.isFinite(asked)) return Math.min(asked, MAX_DELAY_MS);
  return FIRST_DELAY_MS * 2 ** (attempt - 1);
}

async function readEnvelope<Result>(
  method: string,
  path: string,
  response: Response,
): Promise<Envelope<Result>> {
  const text = await response.text();
  let envelope: Envelope<Result> | undefined;
  try {
    envelope = JSON.parse(text) as Envelope<Result>;
  } catch {
    // Not the API but something in front of it: the status is all there is to tell.
  }
  if (response.ok && envelope?.success) return envelope;
  throw new CloudflareError(method, path, response.status, envelope?.errors ?? []);
}
