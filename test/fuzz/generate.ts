/** Requests of every kind but the expected one. Each is made from a seed and its number alone, so one can be made again. */
import { Random } from "../../scripts/random.ts";
import { bodyOf, mutatedBytes } from "./batch.ts";
import { readingRequest } from "./read.ts";

export interface FuzzedRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: Uint8Array;
  /** The route that it was made from, and those of its parameters that it has; of requests that read. */
  route?: string;
  parameters?: readonly string[];
}

export async function fuzzedRequest(seed: number, number: number): Promise<FuzzedRequest> {
  const random = new Random(Math.imul(seed, 0x9e3779b1) ^ number);
  return random.chance(0.4) ? anyReading(random) : postingRequest(random);
}

async function postingRequest(random: Random): Promise<FuzzedRequest> {
  const headers: Record<string, string> = {
    "Content-Type": random.chance(0.9) ? "application/json" : headerValue(random, TYPES),
  };
  if (random.chance(0.5)) {
    // Most of those known are known soon for another batch.
    headers["Idempotency-Key"] = random.chance(0.5) ? `key ${random.next()}` : headerValue(random, KEYS);
  }
  if (random.chance(0.05))
    headers.Authorization = headerValue(random, ["Bearer ", "Bearer x", "Basic eDp5", ""]);
  if (random.chance(0.05)) headers.Origin = headerValue(random, ["null", "https://evil.example", "file://"]);
  let body = bodyOf(random);
  if (random.chance(0.15)) {
    headers["Content-Encoding"] = headerValue(random, ENCODINGS);
    if (random.chance(0.8)) body = await gzip(body);
    if (random.chance(0.3)) body = mutatedBytes(random, body);
  }
  return {
    method: "POST",
    path: random.chance(0.98) ? "/samples" : readingRequest(random).path,
    headers,
    body,
  };
}

function anyReading(random: Random): FuzzedRequest {
  const { route, sent, method, path } = readingRequest(random);
  const headers: Record<string, string> = {};
  if (random.chance(0.3)) headers.Accept = headerValue(random, ACCEPTS);
  if (random.chance(0.1)) headers["Accept-Encoding"] = headerValue(random, ENCODINGS);
  if (random.chance(0.1)) headers["If-None-Match"] = headerValue(random, ['"x"', "*", "W/"]);
  return { method, path, headers, route: `${route.method} ${route.path}`, parameters: sent };
}

/** A value that HTTP lets through. */
function headerValue(random: Random, known: readonly string[]): string {
  if (random.chance(0.7)) return random.pick(known);
  return Array.from({ length: random.pick([0, 1, 20, 128, 129, 4_000]) }, () =>
    String.fromCharCode(0x21 + random.below(0x5e)),
  ).join("");
}

async function gzip(bytes: Uint8Array): Promise<Uint8Array> {
  return new Response(new Response(bytes).body!.pipeThrough(new CompressionStream("gzip"))).bytes();
}

const TYPES = [
  "text/plain",
  "application/json; charset=utf-16",
  "multipart/form-data",
  "*/*",
  "",
  "json",
  ";",
];
const ENCODINGS = ["gzip", "gzip", "gzip", "identity", "GZIP ", "br", "deflate", "gzip, gzip", "x-gzip", ""];
const KEYS = [
  "k",
  "1",
  "2",
  "3",
  "__proto__",
  "'; DROP TABLE answers; --",
  "%00",
  "a".repeat(128),
  "a".repeat(129),
];
const ACCEPTS = [
  "*/*",
  "application/json",
  "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
  "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75",
  "text/html",
  ";q=",
  ",,,",
  "text/plain;q=9999999999",
];
