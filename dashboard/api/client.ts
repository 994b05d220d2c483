/** Requests to the HTTP API, typed by the Worker's routes. The page sends no other requests. */
import { hc } from "hono/client";
import type { App } from "#worker/app.d.ts";
import type { Health } from "#worker/admin/health.d.ts";
import type { FunctionName } from "../view/view.ts";
import { deny, token } from "./session.ts";

const api = hc<App>(location.origin, {
  headers: (): Record<string, string> => {
    const value = token();
    return value === null ? {} : { Authorization: `Bearer ${value}` };
  },
});

/** An error answer. Its message is the server's own sentence. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

interface Bounds {
  from: string;
  to?: string;
}

/** The server's maximum. The table holds every function, so sorting and filtering need no request. */
const ALL = "10000";
const SPARKLINE_POINTS = "60";
const MOST_FOUND = "100";
const FAILURES_SHOWN = 6;

export async function listFunctions(bounds: Bounds, signal: AbortSignal) {
  const query = { ...bounds, points: SPARKLINE_POINTS, limit: ALL };
  return readAnswer(await api.metrics.$get({ query }, { init: { signal } }));
}

/** Like `listFunctions`, without the values over time. */
export async function listTotals(bounds: Bounds, signal: AbortSignal) {
  return readAnswer(await api.metrics.$get({ query: { ...bounds, limit: ALL } }, { init: { signal } }));
}

export async function describeFunction(name: FunctionName, bounds: Bounds, signal: AbortSignal) {
  const route = api.metrics[":service"][":function"];
  return readAnswer(await route.$get(argumentsOf(name, bounds), { init: { signal } }));
}

export async function readDistribution(name: FunctionName, bounds: Bounds, signal: AbortSignal) {
  const route = api.metrics[":service"][":function"].histogram;
  return readAnswer(await route.$get(argumentsOf(name, bounds), { init: { signal } }));
}

/** The best matching failures. */
export async function searchFailures(q: string, signal: AbortSignal) {
  const { results } = await readAnswer(
    await api.search.$get({ query: { q, limit: MOST_FOUND } }, { init: { signal } }),
  );
  return results.filter((result) => result.kind === "failure").slice(0, FAILURES_SHOWN);
}

/** A degraded collector answers 503 with the same body as a healthy one. */
export async function readHealth(signal: AbortSignal): Promise<Health> {
  const response = await api.health.$get({}, { init: { signal } });
  if (response.status === 503) {
    const health = (await response.clone().json()) as object;
    if ("problems" in health) return health as Health;
  }
  return readAnswer(response);
}

export async function listDeadLetters(signal: AbortSignal) {
  return readAnswer(await api["dead-letters"].$get({}, { init: { signal } }));
}

/** Needs an admin token. A refusal concerns this request only, so the page goes on reading. */
export async function replayDeadLetter(id: string): Promise<void> {
  const param = { id: pathPart(id) };
  await readAnswer(await api["dead-letters"][":id"].replay.$post({ param }), { mayDeny: false });
}

function argumentsOf(name: FunctionName, bounds: Bounds) {
  return {
    param: { service: pathPart(name.service), function: pathPart(name.function) },
    query: { ...bounds, ...(name.module === undefined ? {} : { module: name.module }) },
  };
}

/** hc does not encode path parameters, and removes a last segment that is "index". */
function pathPart(name: string): string {
  return encodeURIComponent(name).replace(/^i/, "%69");
}

interface Answer<Body> {
  ok: boolean;
  status: number;
  json(): Promise<Body>;
}

async function readAnswer<Body>(response: Answer<Body>, { mayDeny = true } = {}): Promise<Body> {
  if (response.ok) return response.json();
  const error = await readError(response);
  const isDenial = error.status === 401 || error.status === 403 || error.code === "no_tokens";
  if (isDenial && mayDeny) deny(error);
  throw error;
}

async function readError(response: Answer<unknown>): Promise<ApiError> {
  try {
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    return new ApiError(response.status, error.code, error.message);
  } catch {
    return new ApiError(response.status, "unreadable", `The server answered ${response.status}.`);
  }
}
