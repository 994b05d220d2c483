/** Reads the notation of series and values in promqltest files, such as `http_requests{job="api"} 0+10x5 stale`. */
import { combine } from "../../../src/promql/histogram/arithmetic.ts";
import {
  type Buckets,
  CUSTOM_SCHEMA,
  EMPTY_HISTOGRAM,
  type Histogram,
  type ResetHint,
} from "../../../src/promql/histogram/histogram.ts";
import { type Labels, METRIC_NAME, makeLabels } from "../../../src/promql/labels.ts";
import { parseMatchers } from "../../../src/promql/clauses.ts";
import { TokenStream } from "../../../src/promql/token-stream.ts";

/** One place in a sequence: a number, a histogram, a stale marker (null), or nothing (undefined). */
export interface Point {
  value: number | Histogram | null | undefined;
  /** Whether the notation says what is known of a reset of the histogram. */
  hasHint: boolean;
}

const NOTHING: Point = { value: undefined, hasHint: false };

/** Cuts a line into its metric and the rest. The metric may contain blanks in braces or quotes. */
export function splitMetric(line: string): { metric: string; rest: string } {
  let quote = "";
  let depth = 0;
  let at = 0;
  for (; at < line.length; at++) {
    const char = line[at]!;
    if (quote !== "") {
      if (char === "\\") at++;
      else if (char === quote) quote = "";
    } else if (/["'`]/.test(char)) quote = char;
    else if (char === "{") depth++;
    else if (char === "}") depth--;
    else if (depth === 0 && /\s/.test(char)) break;
  }
  return { metric: line.slice(0, at), rest: line.slice(at).trim() };
}

export function parseMetric(text: string): Labels {
  const brace = text.indexOf("{");
  const name = brace === -1 ? text : text.slice(0, brace);
  const matchers = brace === -1 ? [] : parseMatchers(new TokenStream(text.slice(brace)));
  const pairs = matchers.map(({ name, value }) => [name, value] as const);
  return makeLabels([...pairs, ...(name === "" ? [] : [[METRIC_NAME, name] as const])]);
}

const NUMBER = String.raw`[+-]?(?:Inf|NaN|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)`;
const STEPPED = new RegExp(`^(${NUMBER})(?:([+-])(${NUMBER}))?(?:x(\\d+))?$`, "i");

export function parsePoints(text: string): Point[] {
  const items = text.match(/\{\{.*?\}\}(?:[+-]\{\{.*?\}\})?(?:x\d+)?|\S+/g) ?? [];
  return items.flatMap(parseItem);
}

function parseItem(item: string): Point[] {
  if (item.startsWith("{{")) return parseHistograms(item);
  const gaps = /^_(?:x(\d+))?$/.exec(item);
  if (gaps) return repeat(NOTHING, Number(gaps[1] ?? 1));
  const stale = /^stale(?:x(\d+))?$/.exec(item);
  if (stale) return repeat({ value: null, hasHint: false }, 1 + Number(stale[1] ?? 0));
  const parts = STEPPED.exec(item);
  if (!parts) throw new Error(`"${item}" is no value of a series.`);
  const step = parts[3] === undefined ? 0 : parseFloatText(parts[3]) * (parts[2] === "-" ? -1 : 1);
  const points: Point[] = [];
  let value = parseFloatText(parts[1]!);
  for (let index = 0; index <= Number(parts[4] ?? 0); index++) {
    points.push({ value, hasHint: false });
    value += step;
  }
  return points;
}

/** A number as the files write it, with signs and infinities. */
export function parseFloatText(text: string): number {
  const special = /^([+-]?)(inf|nan)$/i.exec(text);
  if (!special) return Number(text);
  if (special[2]!.toLowerCase() === "nan") return Number.NaN;
  return special[1] === "-" ? -Infinity : Infinity;
}

const repeat = <T>(value: T, count: number): T[] => Array.from({ length: count }, () => value);

function parseHistograms(item: string): Point[] {
  const parts = /^(\{\{.*?\}\})(?:([+-])(\{\{.*?\}\}))?(?:x(\d+))?$/.exec(item);
  if (!parts) throw new Error(`"${item}" is no histogram.`);
  const first = parseHistogram(parts[1]!);
  const step = parts[3] === undefined ? undefined : parseHistogram(parts[3]);
  const hasHint = (step ?? first).hasHint;
  const points: Point[] = [];
  let value = first.histogram;
  for (let index = 0; index <= Number(parts[4] ?? 0); index++) {
    points.push({ value, hasHint });
    if (step) value = combine(value, step.histogram, parts[2] === "-" ? -1 : 1)!.histogram;
  }
  return points;
}

function parseHistogram(text: string): { histogram: Histogram; hasHint: boolean } {
  const fields = new Map<string, string>();
  for (const [, key, value] of text.slice(2, -2).matchAll(/(\w+):(\[[^\]]*\]|\S+)/g))
    fields.set(key!, value!);
  const number = (key: string): number => parseFloatText(fields.get(key) ?? "0");
  const list = (key: string): number[] =>
    (fields.get(key) ?? "[]").slice(1, -1).trim().split(/\s+/).filter(Boolean).map(parseFloatText);
  const buckets = (key: string, offsetKey: string): Buckets => {
    const counts = list(key);
    return { indexes: counts.map((_, index) => number(offsetKey) + index), counts };
  };
  const schema = number("schema");
  const histogram: Histogram = {
    ...EMPTY_HISTOGRAM,
    schema,
    count: number("count"),
    sum: number("sum"),
    zeroCount: number("z_bucket"),
    zeroThreshold: number("z_bucket_w"),
    positive: buckets("buckets", "offset"),
    negative: buckets("n_buckets", "n_offset"),
    customBounds: schema === CUSTOM_SCHEMA ? list("custom_values") : [],
    resetHint: (fields.get("counter_reset_hint") ?? "unknown") as ResetHint,
  };
  return { histogram, hasHint: fields.has("counter_reset_hint") };
}
