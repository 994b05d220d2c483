/** Bodies of `POST /samples`: batches as they should be, and what becomes of them. */
import type { Random } from "../../scripts/random.ts";
import { bucketIndex } from "../../src/stats/histogram.ts";
import { odd } from "./odd.ts";

export const SERVICES = ["shop", "bank"] as const;
export const FUNCTIONS = ["add", "pay", "Cart.add"] as const;

const encoder = new TextEncoder();

export function bodyOf(random: Random): Uint8Array {
  const kind = random.next();
  if (kind < 0.05) return Uint8Array.from({ length: random.below(300) }, () => random.below(256));
  if (kind < 0.055) return encoder.encode(nested(random));
  let batch: unknown = validBatch(random);
  for (let i = random.below(3); i > 0; i--) batch = mutated(random, batch);
  const json = encoder.encode(JSON.stringify(batch) ?? "");
  return kind < 0.25 ? mutatedBytes(random, json) : json;
}

export function validBatch(random: Random): Record<string, unknown> {
  return {
    service: random.pick(SERVICES),
    samples: Array.from({ length: 1 + random.below(4) }, () => validSample(random)),
    ...(random.chance(0.1) ? { idempotencyKey: `in the body ${random.below(1_000)}` } : {}),
  };
}

function validSample(random: Random): Record<string, unknown> {
  const where = {
    function: random.pick(FUNCTIONS),
    ...(random.chance(0.3) ? { module: "app/main" } : {}),
    ...(random.chance(0.3) ? { at: Date.now() - random.below(3_600_000) } : {}),
  };
  const failure = { name: "ValueError", message: "An error occurred" };
  if (random.chance(0.5)) {
    return { ...where, durationMs: durationOf(random), ...(random.chance(0.3) ? { error: failure } : {}) };
  }
  const [measured, ms] = [1 + random.below(50), durationOf(random) || 1];
  return {
    ...where,
    calls: measured + 2,
    errors: 1,
    unmeasured: 2,
    sumMs: measured * ms,
    minMs: ms,
    maxMs: ms,
    histogram: { [bucketIndex(ms)]: measured },
    failures: [{ ...failure, calls: 1 }],
  };
}

/** From a microsecond to hours, on both sides of a millisecond; and sometimes nothing, as where the clock stands still. */
function durationOf(random: Random): number {
  if (random.chance(0.1)) return 0;
  return random.chance(0.5)
    ? random.below(1_000) / 8
    : Math.round(2 ** random.between(-9, 24) * 1_000) / 1_000;
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

export function mutatedBytes(random: Random, bytes: Uint8Array): Uint8Array {
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
