/** Requests to the HTTP API, typed by the Worker's routes. The page sends no other requests. */
import { hc } from "hono/client";
import type { App } from "#worker/app.d.ts";
import type { Bounds } from "../range/bounds.ts";
import type { FunctionName } from "../view/view.ts";
import { readAnswer } from "./answers.ts";
import { limitedFetch } from "./limited-fetch.ts";
import { token } from "./session.ts";

export const api = hc<App>(location.origin, { fetch: limitedFetch, headers: authorization });

/** The header with the token, if there is one. */
export function authorization(): Record<string, string> {
  const value = token();
  return value === null ? {} : { Authorization: `Bearer ${value}` };
}

export type FunctionList = Awaited<ReturnType<typeof listFunctions>>;
export type FunctionDescription = Awaited<ReturnType<typeof describeFunction>>;
export type Attention = Awaited<ReturnType<typeof readAttention>>;
export type Distribution = Awaited<ReturnType<typeof readDistribution>>;
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

interface Muted extends FunctionName {
  kind: Attention["items"][number]["kind"];
}

/** Needs an admin token, as `unmute` does. `until` is in epoch milliseconds. */
export async function mute(of: Muted, until: number, reason: string) {
  const query = { ...ofFunction(of), kind: of.kind, until: String(Math.round(until)), reason };
  return readAnswer(await api.attention.mute.$put({ query }), { mayDeny: false });
}

export async function unmute(of: Muted) {
  const query = { ...ofFunction(of), kind: of.kind };
  return readAnswer(await api.attention.mute.$delete({ query }), { mayDeny: false });
}

export async function describeFunction(name: FunctionName, bounds: Bounds, signal: AbortSignal) {
  const query = { ...ofFunction(name), ...toQuery(bounds) };
  return readAnswer(await api.function.$get({ query }, { init: { signal } }));
}

export async function readDistribution(name: FunctionName, bounds: Bounds, signal: AbortSignal) {
  const query = { ...ofFunction(name), ...toQuery(bounds) };
  return readAnswer(await api.function.histogram.$get({ query }, { init: { signal } }));
}

/** The matching failures, best first, and names of functions that a search without results may mean. */
export async function search(q: string, signal: AbortSignal) {
  const { results, didYouMean } = await readAnswer(
    await api.search.$get({ query: { q, limit: MOST_FOUND } }, { init: { signal } }),
  );
  return { failures: results.filter((result) => result.kind === "failure"), didYouMean };
}

/** A degraded collector answers 503 with the same body as a healthy one. */
export async function readHealth(signal: AbortSignal) {
  const response = await api.health.$get({}, { init: { signal } });
  if (response.status === 503) {
    const health = (await response.clone().json()) as object;
    if ("problems" in health) return health as Awaited<ReturnType<typeof response.json>>;
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

export type AlertList = Awaited<ReturnType<typeof listAlerts>>;
/** A rule as a person writes it. The server adds what is left out, and says what is wrong. */
export type WrittenRule = Record<string, unknown>;

export async function listAlerts(signal: AbortSignal) {
  return readAnswer(await api.alerts.$get({}, { init: { signal } }));
}

/** Stores nothing, so it needs the right to read only. */
export async function previewRule(rule: WrittenRule) {
  return readAnswer(await api.alerts.preview.$post({}, { init: { body: JSON.stringify(rule) } }));
}

/** The functions from here on need an admin token. */
export async function putRule(id: string, rule: WrittenRule) {
  const route = api.alerts.rules[":id"];
  const body = JSON.stringify(rule);
  return readAnswer(await route.$put({ param: { id: pathPart(id) } }, { init: { body } }), {
    mayDeny: false,
  });
}

export async function deleteRule(id: string): Promise<void> {
  const route = api.alerts.rules[":id"];
  await readAnswer(await route.$delete({ param: { id: pathPart(id) } }), { mayDeny: false });
}

export async function putTarget(id: string, target: Record<string, unknown>) {
  const route = api.alerts.targets[":id"];
  const body = JSON.stringify(target);
  return readAnswer(await route.$put({ param: { id: pathPart(id) } }, { init: { body } }), {
    mayDeny: false,
  });
}

export async function deleteTarget(id: string): Promise<void> {
  const route = api.alerts.targets[":id"];
  await readAnswer(await route.$delete({ param: { id: pathPart(id) } }), { mayDeny: false });
}

export async function testTarget(id: string) {
  const route = api.alerts.targets[":id"].test;
  return readAnswer(await route.$post({ param: { id: pathPart(id) } }), { mayDeny: false });
}

export async function putSilence(id: string, silence: Record<string, unknown>): Promise<void> {
  const route = api.alerts.silences[":id"];
  const body = JSON.stringify(silence);
  await readAnswer(await route.$put({ param: { id: pathPart(id) } }, { init: { body } }), { mayDeny: false });
}

export async function deleteSilence(id: string): Promise<void> {
  const route = api.alerts.silences[":id"];
  await readAnswer(await route.$delete({ param: { id: pathPart(id) } }), { mayDeny: false });
}

export async function acknowledgeAlert(id: string): Promise<void> {
  const route = api.alerts[":id"].acknowledge;
  await readAnswer(await route.$post({ param: { id } }, { init: { body: "{}" } }), { mayDeny: false });
}

/** Needs an admin token. Without a function it deletes the service; without a module, the name in all modules. */
export async function deleteSeries(service: string, name: string | undefined, module: string | undefined) {
  if (name === undefined) {
    return readAnswer(await api.service.$delete({ query: { service } }), { mayDeny: false });
  }
  const query = ofFunction({ service, function: name, module });
  return readAnswer(await api.function.$delete({ query }), { mayDeny: false });
}

/** The names as parameters of the query, because a path cannot hold all of them. */
function ofFunction({ service, module, function: name }: FunctionName) {
  return { service, function: name, ...(module === undefined ? {} : { module }) };
}

function toQuery({ from, to }: Bounds) {
  return { from: String(from), to: String(to) };
}

/** hc does not encode path parameters, and removes a last segment that is "index". */
function pathPart(name: string): string {
  return encodeURIComponent(name).replace(/^i/, "%69");
}
