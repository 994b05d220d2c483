/** Requests to the Prometheus query API: PromQL at one time and at steps. */
import { readAnswer } from "./answers.ts";
import { api, authorization } from "./client.ts";
import { limitedFetch } from "./limited-fetch.ts";
import type { InstantData, InstantQuestion, RangeQuestion, Result, Series } from "./prometheus-results.ts";

/** @throws {ApiError} */
export async function queryInstant(
  question: InstantQuestion,
  signal: AbortSignal,
): Promise<Result<InstantData>> {
  const response = await api.api.v1.query.$post({ query: {} }, { init: formOf(question, signal) });
  return (await readAnswer(response)) as Result<InstantData>;
}

/** @throws {ApiError} */
export async function queryRange(question: RangeQuestion, signal: AbortSignal): Promise<Result<Series[]>> {
  const response = await api.api.v1.query_range.$post({ query: {} }, { init: formOf(question, signal) });
  const { data, ...notes } = (await readAnswer(response)) as Result<{ result: Series[] }>;
  return { data: data.result, ...notes };
}

/** Like `fetch`, with the token. For the editor, which asks for names and labels itself. */
export function fetchWithToken(input: RequestInfo, init: RequestInit = {}): Promise<Response> {
  return limitedFetch(input, { ...init, headers: authorization() });
}

/** A form, because a query can be too long for a URL. */
function formOf(question: InstantQuestion | RangeQuestion, signal: AbortSignal): RequestInit {
  return { body: new URLSearchParams(question), signal };
}
