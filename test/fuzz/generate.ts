/** Requests of every kind but the expected one. Each is made from a seed and its number alone, so one can be made again. */
import { Random } from "../../scripts/random.ts";

export interface FuzzedRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: Uint8Array;
}

const encoder = new TextEncoder();

export async function fuzzedRequest(seed: number, number: number): Promise<FuzzedRequest> {
  const random = new Random(Math.imul(seed, 0x9e3779b1) ^ number);
  return random.chance(0.15) ? readingRequest(random) : postingRequest(random);
}

async function postingRequest(random: Random): Promise<FuzzedRequest> {
  const headers: Record<string, string> = {
    "Content-Type": random.chance(0.9) ? "application/json" : headerValue(random, TYPES),
  };
  if (random.chance(0.5)) headers["Idempotency-Key"] = headerValue(random, KEYS);
  if (random.chance(0.05))
    headers.Authorization = headerValue(random, ["Bearer ", "Bearer x", "Basic eDp5", ""]);
  if (random.chance(0.05)) headers.Origin = headerValue(random, ["null", "https://evil.example", "file://"]);
  let body = bodyOf(random);
  if (random.chance(0.15)) {
    headers["Content-Encoding"] = headerValue(random, ENCODINGS);
    if (random.chance(0.8)) body = await gzip(body);
    if (random.chance(0.3)) body = mutatedBytes(random, body);
  }
  return { method: "POST", path: random.chance(0.98) ? "/samples" : pathOf(random), headers, body };
}

function readingRequest(random: Random): FuzzedRequest {
  const method = random.chance(0.8)
    ? "GET"
    : random.pick(["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "POST"]);
  const headers: Record<string, string> = {};
  if (random.chance(0.5)) headers.Accept = headerValue(random, ACCEPTS);
  if (random.chance(0.1)) headers["Accept-Encoding"] = headerValue(random, ENCODINGS);
  if (random.chance(0.1)) headers["If-None-Match"] = headerValue(random, ['"x"', "*", "W/"]);
  return { method, path: pathOf(random), headers };
}

function pathOf(random: Random): string {
  const segments = random.pick([
    ["metrics"],
    ["metrics", "shop", "work"],
    ["metrics", text(random), text(random)],
    ["search"],
    ["health"],
    ["dead-letters"],
    ["dead-letters", text(random), "replay"],
    ["samples"],
    [text(random)],
    Array.from({ length: random.below(50) }, () => "a"),
  ]);
  const names = [
    "q",
    "module",
    "from",
    "to",
    "since",
    "step",
    "width",
    "limit",
    "format",
    "service",
    text(random),
  ];
  const query = Array.from({ length: random.below(4) }, () => {
    const value = random.chance(0.5)
      ? (JSON.stringify(odd(random)) ?? "")
      : random.pick(["1", "1h", "-1h", "now", "2026-01-01", "*", '"', "a OR b", "NEAR(", "col:x"]);
    return `${encoded(random, random.pick(names))}=${encoded(random, value.slice(0, 3_000))}`;
  });
  return `/${segments.map((segment) => encoded(random, segment)).join("/")}${query.length > 0 ? `?${query.join("&")}` : ""}`;
}

/** Mostly as it should be; sometimes with an escape that is none. */
function encoded(random: Random, text: string): string {
  const safe = encodeURIComponent(text.toWellFormed());
  return random.chance(0.1) ? `${safe}${random.pick(["%", "%ff", "%zz", "%00", "%c0%af", "..%2f"])}` : safe;
}

function bodyOf(random: Random): Uint8Array {
  const kind = random.next();
  if (kind < 0.05) return Uint8Array.from({ length: random.below(300) }, () => random.below(256));
  if (kind < 0.055) return encoder.encode(nested(random));
  let batch: unknown = validBatch(random);
  for (let i = random.below(4); i > 0; i--) batch = mutated(random, batch);
  const json = encoder.encode(JSON.stringify(batch) ?? "");
  return kind < 0.25 ? mutatedBytes(random, json) : json;
}

export function validBatch(random: Random): Record<string, unknown> {
  return {
    service: random.pick(["shop", "bank"]),
    samples: Array.from({ length: 1 + random.below(4) }, () => validSample(random)),
    ...(random.chance(0.1) ? { idempotencyKey: `in the body ${random.below(1_000)}` } : {}),
  };
}

function validSample(random: Random): Record<string, unknown> {
  const where = {
    function: random.pick(["add", "pay", "Cart.add"]),
    ...(random.chance(0.3) ? { module: "app/main" } : {}),
    ...(random.chance(0.3) ? { at: Date.now() - random.below(3_600_000) } : {}),
  };
  const failure = { name: "ValueError", message: "An error occurred" };
  if (random.chance(0.5)) {
    return {
      ...where,
      durationMs: random.below(1_000) / 8,
      ...(random.chance(0.3) ? { error: failure } : {}),
    };
  }
  const measured = 1 + random.below(50);
  return {
    ...where,
    calls: measured + 2,
    errors: 1,
    unmeasured: 2,
    sumMs: measured,
    minMs: 1,
    maxMs: 1,
    histogram: { "-1": measured },
    failures: [{ ...failure, calls: 1 }],
  };
}

/** The value with one thing in it replaced, removed, doubled or renamed. */
function mutated(random: Random, value: unknown): unknown {
  if (typeof value !== "object" || value === null || random.chance(0.1)) return odd(random);
  if (Array.isArray(value)) {
    const list = [...(value as unknown[])];
    const at = random.below(list.length);
    const kind = random.next();
    if (list.length === 0 || kind < 0.1) list.push(odd(random));
    else if (kind < 0.2) list.splice(at, 1);
    else if (kind < 0.3) list.push(list[at]);
    else list[at] = mutated(random, list[at]);
    return list;
  }
  const entries = Object.entries(value);
  const at = random.below(entries.length);
  const entry = entries[at];
  const kind = random.next();
  if (!entry || kind < 0.1) entries.push([random.pick(NAMES), odd(random)]);
  else if (kind < 0.2) entries.splice(at, 1);
  else if (kind < 0.3) entries[at] = [random.pick(NAMES), entry[1]];
  else entries[at] = [entry[0], mutated(random, entry[1])];
  // Not as a literal or by assignment: `__proto__` must become a property like any other.
  return Object.fromEntries(entries);
}

function mutatedBytes(random: Random, bytes: Uint8Array): Uint8Array {
  const list = [...bytes];
  for (let i = 1 + random.below(4); i > 0; i--) {
    const at = random.below(list.length + 1);
    const kind = random.below(4);
    if (kind === 0) list[at] = random.below(256);
    else if (kind === 1) list.splice(at, 0, random.below(256));
    else if (kind === 2) list.splice(at, 1 + random.below(8));
    else list.splice(at, 0, ...list.slice(at, at + random.below(40)));
  }
  return Uint8Array.from(random.chance(0.1) ? list.slice(0, random.below(list.length + 1)) : list);
}

/** Deeper than any stack. */
function nested(random: Random): string {
  const depth = random.pick([100, 10_000, 300_000]);
  const [open, close, inner] = random.pick([
    ["[", "]", ""],
    ['{"a":', "}", "1"],
  ] as const);
  const deep = `${open.repeat(depth)}${inner}${close.repeat(depth)}`;
  return random.pick([
    deep,
    `{"service":"shop","samples":${deep}}`,
    `{"service":"shop","samples":[${deep}]}`,
    `{"service":${deep},"samples":[]}`,
    `{"service":"shop","samples":[{"function":"add","durationMs":1,"unknown":${deep}}]}`,
    `{"service":"shop","samples":[{"function":"add","durationMs":${deep}}]}`,
    `{"service":"shop","samples":[{"function":"add","calls":1,"histogram":{"0":${deep}}}]}`,
  ]);
}

function odd(random: Random): unknown {
  return random.chance(0.3) ? text(random) : random.pick(ODD);
}

function text(random: Random): string {
  const length = random.pick([0, 1, 3, 20, 200, 201, 600]);
  const alphabet = random.pick([
    "abc",
    "\u0000\u0001\u001f\u007f\u0085",
    "\ud800\udc00\udfff",
    "é漢😀\u202e\ufeff\u00a0",
    "'\";--<>&%{}[]\\",
    "./",
    " \t\n",
  ]);
  return Array.from({ length }, () => alphabet[random.below(alphabet.length)]).join("");
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

const ODD: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -0,
  -1,
  1,
  0.1,
  1e-320,
  1e308,
  -1e308,
  2 ** 31,
  2 ** 53,
  2 ** 53 + 2,
  1e21,
  "",
  "0",
  "NaN",
  "2026-11-24T00:00:00Z",
  [],
  {},
  [[]],
  { "": "" },
  { "-1": 1 },
  { "99999": 1 },
  { length: 5 },
  { toString: 1, valueOf: 1, toJSON: 1 },
];
const NAMES = [
  "__proto__",
  "constructor",
  "toString",
  "toJSON",
  "length",
  "",
  "0",
  "calls",
  "errors",
  "unmeasured",
  "service",
  "function",
  "durationMs",
  "at",
  "error",
  "histogram",
  "idempotencyKey",
];
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
