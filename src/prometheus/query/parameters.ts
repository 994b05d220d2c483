/** Reads the parameters of the Prometheus HTTP API: from the URL and from forms, times in seconds or RFC 3339. */
import type { Context } from "hono";
import type { HttpEnv } from "../../http/route.ts";
import { parseInstant } from "../../http/parse-time.ts";
import { PromqlError } from "../../promql/errors.ts";
import { parseDuration } from "../../promql/literals.ts";
import type { Matcher } from "../../promql/matcher.ts";
import { parseSelector } from "../../promql/parser.ts";
import { badData, invalidParameter } from "./errors.ts";

/** Values by name. A parameter can be given several times. */
export type Parameters = Partial<Record<string, string[]>>;

/** Room for a query of the longest length that is allowed, as a form encodes it, and for the other parameters. */
const MAX_FORM_BYTES = 256 * 1024;

/** Those of the form come before those of the URL. */
export async function readParameters(c: Context<HttpEnv>): Promise<Parameters> {
  const isForm = c.req.header("Content-Type")?.startsWith("application/x-www-form-urlencoded") ?? false;
  const form = c.req.method === "POST" && isForm ? await readForm(c.req.raw) : "";
  const all: Parameters = {};
  for (const source of [form, new URL(c.req.url).search]) {
    for (const [name, value] of new URLSearchParams(source)) (all[name] ??= []).push(value);
  }
  return all;
}

async function readForm({ body }: Request): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.length > MAX_FORM_BYTES) throw badData(`the form is longer than ${MAX_FORM_BYTES} bytes`);
  }
  return text;
}

export const textOf = (parameters: Parameters, name: string): string => parameters[name]?.[0] ?? "";

/** Epoch milliseconds. `fallback` if the parameter is missing. @throws {PromqlError} */
export function timeOf(parameters: Parameters, name: string, fallback?: number): number {
  const text = textOf(parameters, name);
  if (text === "" && fallback !== undefined) return fallback;
  const seconds = numberOf(text);
  const timeMs = seconds === undefined ? parseInstant(text) : Math.round(seconds * 1000);
  if (timeMs === undefined || !Number.isFinite(timeMs)) {
    throw invalidParameter(name, `cannot parse ${JSON.stringify(text)} to a valid timestamp`);
  }
  return timeMs;
}

/** Milliseconds. `fallback` if the parameter is missing. @throws {PromqlError} */
export function durationOf(parameters: Parameters, name: string, fallback?: number): number {
  const text = textOf(parameters, name);
  if (text === "" && fallback !== undefined) return fallback;
  const seconds = numberOf(text);
  const durationMs = seconds === undefined ? parseDuration(text) : Math.round(seconds * 1000);
  if (durationMs === undefined || !Number.isFinite(durationMs)) {
    throw invalidParameter(name, `cannot parse ${JSON.stringify(text)} to a valid duration`);
  }
  return durationMs;
}

/** How many results to answer at most. Infinity if the parameter is missing or 0. @throws {PromqlError} */
export function limitOf(parameters: Parameters, name = "limit"): number {
  const text = textOf(parameters, name);
  if (text === "") return Infinity;
  if (!/^\d{1,15}$/.test(text))
    throw invalidParameter(name, "limit must be a whole number that is not negative");
  return Number(text) || Infinity;
}

/** The selectors of `match[]`. @throws {PromqlError} */
export function selectorsOf(parameters: Parameters): (readonly Matcher[])[] {
  return (parameters["match[]"] ?? []).map(
    (text) => inParameter("match[]", () => parseSelector(text)).matchers,
  );
}

/** Runs a parser, and names the parameter in its errors. */
export function inParameter<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw named(name, error);
  }
}

export function named(name: string, error: unknown): unknown {
  return error instanceof PromqlError && error.kind === "bad_data" && error.span
    ? new PromqlError("bad_data", `invalid parameter "${name}": ${error.message}`, error.span)
    : error;
}

const numberOf = (text: string): number | undefined =>
  /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
