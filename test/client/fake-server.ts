/** Stands in for the Worker: counts batches once by their key, and answers as badly as a test wants it to. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

const MAX_AGE_MS = 48 * 60 * 60 * 1000;

export interface Sample {
  function: string;
  module?: string;
  at: number;
  calls: number;
  errors: number;
  unmeasured: number;
  sumMs: number;
  minMs: number | null;
  maxMs: number | null;
  histogram: Record<string, number>;
  failures: { name: string; message: string; calls: number }[];
}

/** What the server takes a field for that a sample leaves out. */
const DEFAULTS = {
  module: "",
  errors: 0,
  unmeasured: 0,
  sumMs: 0,
  minMs: null,
  maxMs: null,
  histogram: {},
};

/** One POST as it came in. */
export interface Received {
  method: string;
  path: string;
  /** What the URL says of the batch's age. */
  ageMs: string | null;
  headers: Headers;
  key: string;
  /** As sent: compressed, if it was. */
  raw: Buffer;
  json: string;
  samples: Sample[];
  /** When, on the clock that the test may have taken over. */
  atMs: number;
}

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

/**
 * What becomes of a request. `accept` counts it and says so; `dropRequest` breaks the connection before it counts;
 * `dropResponse` counts it, then breaks the connection; `truncate` breaks off in the middle of the answer; `hang` never
 * answers. An answer of its own is given as it is, and counts nothing.
 */
export type Reply = "accept" | "dropRequest" | "dropResponse" | "truncate" | "hang" | Answer;

export class FakeServer {
  readonly requests: Received[] = [];
  /** May be replaced at any time. */
  reply: (request: Received) => Reply | Promise<Reply> = () => "accept";
  /** Gives a reason where a sample is to be rejected. */
  reject: (sample: Sample, index: number) => string | undefined = ({ at }) =>
    at < Date.now() - MAX_AGE_MS ? "at is older than 48 hours." : undefined;
  /** Calls that were counted, by function and by the start of their minute. */
  // Without a prototype: functions may be called anything, `__proto__` too.
  readonly counted = Object.create(null) as Record<string, Record<string, number>>;
  readonly #answers = new Map<string, { json: string; body: object }>();
  #http: Server | undefined;

  /** Listens on a free port of 127.0.0.1, or on the one named. */
  async listen(port = 0): Promise<this> {
    this.#http = createServer((request, response) => void this.#serve(request, response));
    await new Promise<void>((resolve) => this.#http!.listen(port, "127.0.0.1", resolve));
    return this;
  }

  get port(): number {
    return (this.#http!.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Ends all connections too; whoever waits for an answer gets none. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#http) return;
    const closed = new Promise((resolve) => this.#http!.close(resolve));
    this.#http.closeAllConnections();
    this.#http = undefined;
    await closed;
  }

  /** The same server without a network, for tests in which time is not real. */
  readonly fetcher = {
    fetch: async (url: string, init: RequestInit): Promise<Response> => {
      const body = init.body as string | ArrayBuffer;
      const raw = typeof body === "string" ? Buffer.from(body) : Buffer.from(body);
      const request = this.#read(init.method!, new URL(url), new Headers(init.headers), raw);
      const reply = await this.reply(request);
      if (reply === "hang") return new Promise(() => {});
      if (reply === "dropRequest") throw new TypeError("fetch failed");
      const {
        status,
        body: text = "",
        headers = {},
      } = typeof reply === "object" ? reply : this.#take(request);
      if (reply === "dropResponse" || reply === "truncate") throw new TypeError("terminated");
      return new Response(text, { status, headers });
    },
  };

  /** Calls that were counted, by function. */
  get calls(): Record<string, number> {
    return Object.fromEntries(
      Object.entries(this.counted).map(([name, minutes]) => [
        name,
        Object.values(minutes).reduce((sum, calls) => sum + calls, 0),
      ]),
    );
  }

  get totalCalls(): number {
    return Object.values(this.calls).reduce((sum, calls) => sum + calls, 0);
  }

  get keys(): string[] {
    return this.requests.map(({ key }) => key);
  }

  #read(method: string, { pathname: path, searchParams }: URL, headers: Headers, raw: Buffer): Received {
    const json = (headers.get("Content-Encoding") === "gzip" ? gunzipSync(raw) : raw).toString();
    const { samples: sent } = JSON.parse(json || '{"samples":[]}') as { samples: Partial<Sample>[] };
    const samples = sent.map((sample): Sample => {
      const failures = sample.failures?.map((failure) => ({ ...failure, message: failure.message ?? "" }));
      return { ...DEFAULTS, ...sample, failures: failures ?? [] } as Sample;
    });
    const key = headers.get("Idempotency-Key") ?? "";
    const ageMs = searchParams.get("ageMs");
    const received = { method, path, ageMs, headers, key, raw, json, samples, atMs: Date.now() };
    this.requests.push(received);
    return received;
  }

  /** Counts a batch, or gives the answer that it was given the first time. */
  #take({ key, json, samples }: Received): Answer {
    const known = this.#answers.get(key);
    if (known && known.json !== json) {
      const message = "This key was used with another body.";
      return { status: 409, body: JSON.stringify({ error: { code: "key_reused", message } }) };
    }
    if (known) return { status: 202, body: JSON.stringify({ ...known.body, duplicate: true }) };
    const reasons: { index: number; reason: string }[] = [];
    samples.forEach((sample, index) => {
      const reason = this.reject(sample, index);
      if (reason) {
        reasons.push({ index, reason });
        return;
      }
      const minutes = (this.counted[sample.function] ??= {});
      const minute = new Date(sample.at - (sample.at % 60_000)).toISOString();
      minutes[minute] = (minutes[minute] ?? 0) + sample.calls;
    });
    const rejected = reasons.length;
    const body = {
      accepted: samples.length - rejected,
      rejected,
      reasons: reasons.slice(0, 100),
      rejectedRanges: reasons.map(({ index }) => [index, index]),
      duplicate: false,
    };
    this.#answers.set(key, { json, body });
    return { status: 202, body: JSON.stringify(body) };
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      // The client gave up before it had sent everything.
      return;
    }
    const headers = new Headers(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    );
    const received = this.#read(
      request.method!,
      new URL(request.url!, this.url),
      headers,
      Buffer.concat(chunks),
    );
    const reply = await this.reply(received);
    if (reply === "hang") return;
    if (reply === "dropRequest") {
      request.socket.destroy();
      return;
    }
    const answer = typeof reply === "object" ? reply : this.#take(received);
    const { status, body = "" } = answer;
    if (reply === "dropResponse") {
      request.socket.destroy();
    } else if (reply === "truncate") {
      response.writeHead(status, { "Content-Length": body.length });
      response.write(body.slice(0, body.length / 2), () => request.socket.destroy());
    } else {
      response.writeHead(status, answer.headers).end(body);
    }
  }
}
