/** Requests to the HTTP API, typed by the Worker's routes. The page sends no other requests. */
import { hc } from "hono/client";
import type { App } from "#worker/app.d.ts";
import type { Bounds } from "../range/bounds.ts";
import type { FunctionName } from "../view/view.ts";
import { readAnswer } from "./answers.ts";
import { limitedFetch } from "./limited-fetch.ts";
import { token } from "./session.ts";

const api = hc<App>(location.origin, {
  fetch: limitedFetch,
  headers: (): Record<string, string> => {
    const value = token();
    return value === null ? {} : { Authorization: `Bearer ${value}` };
  },
});

export type FunctionList = Awaited<ReturnType<typeof listFunctions>>;
export type FunctionDescription = Awaited<ReturnType<typeof describeFunction>>;
export type Attention = Awaited<ReturnType<typeof readAttention>>;
export type Distribution = Awaited<ReturnType<typeof readDistribution>>;
/** The server may report rejected samples, by reason, since the buffer was created. */
export type Health = Awaited<ReturnType<typeof readHealth>>;

/** The server's maximum. The table holds every function, so sorting and filtering need no request. */
const ALL = "10000";
const SPARKLINE_POINTS = "60";
const MOST_FOUND = "100";

export async function listFunctions(bounds: Bounds, signal: AbortSignal) {
  const query = { ...toQuery(bounds), points: SPARKLINE_POINTS, limit: ALL };
  return readAnswer(await api.metrics.$get({ query }, { init: { signal } }));
}

/** What needs attention now. The server judges it; the answer does not depend on a range. */
export async function readAttention(signal: AbortSignal) {
  return readAnswer(await api.attention.$get({}, { init: { signal } }));
}

export async function describeFunction(name: FunctionName, bounds: Bounds, signal: AbortSignal) {
  const route = api.metrics[":service"][":function"];
  return readAnswer(await route.$get(argumentsOf(name, bounds), { init: { signal } }));
}

export async function readDistribution(name: FunctionName, bounds: Bounds, signal: AbortSignal) {
  const route = api.metrics[":service"][":function"].histogram;
  return readAnswer(await route.$get(argumentsOf(name, bounds), { init: { signal } }));
}

/** The matching failures, best first. */
export async function searchFailures(q: string, signal: AbortSignal) {
  const { results } = await readAnswer(
    await api.search.$get({ query: { q, limit: MOST_FOUND } }, { init: { signal } }),
  );
  return results.filter((result) => result.kind === "failure");
}

/** A degraded collector answers 503 with the same body as a healthy one. */
export async function readHealth(signal: AbortSignal) {
  const response = await api.health.$get({}, { init: { signal } });
  type Answered = Awaited<ReturnType<typeof response.json>> & { rejectedSamples?: Record<string, number> };
  if (response.status === 503) {
    const health = (await response.clone().json()) as object;
    if ("problems" in health) return health as Answered;
  }
  return (await readAnswer(response)) as Answered;
}

export async function listDeadLetters(signal: AbortSignal) {
  return readAnswer(await api["dead-letters"].$get({}, { init: { signal } }));
}

/** Needs an admin token. A refusal concerns this request only, so the page goes on reading. */
export async function replayDeadLetter(id: string): Promise<void> {
  const param = { id: pathPart(id) };
  await readAnswer(await api["dead-letters"][":id"].replay.$post({ param }), { mayDeny: false });
}

/** Needs an admin token. Without a function it deletes the service; without a module, the name in all modules. */
export async function deleteSeries(service: string, name: string | undefined, module: string | undefined) {
  const param = { service: pathPart(service) };
  const route = api.metrics[":service"];
  if (name === undefined) return readAnswer(await route.$delete({ param }), { mayDeny: false });
  const query = module === undefined ? {} : { module };
  const ofFunction = { param: { ...param, function: pathPart(name) }, query };
  return readAnswer(await route[":function"].$delete(ofFunction), { mayDeny: false });
}

function toQuery({ from, to }: Bounds) {
  return { from: String(from), to: String(to) };
}

function argumentsOf(name: FunctionName, bounds: Bounds) {
  return {
    param: { service: pathPart(name.service), function: pathPart(name.function) },
    query: { ...toQuery(bounds), ...(name.module === undefined ? {} : { module: name.module }) },
  };
}

/** hc does not encode path parameters, and removes a last segment that is "index". */
function pathPart(name: string): string {
  return encodeURIComponent(name).replace(/^i/, "%69");
}
