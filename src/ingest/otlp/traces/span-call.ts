/** Finds the call in a span: whose function, how long, and how it failed. Everything else in the span is ignored. */
import type { Attributes, AttributeValue } from "../wire/message.ts";
import type { Span } from "../wire/trace-messages.ts";

/** The numbers of span kinds that count as calls. */
export type SpanKinds = ReadonlySet<number>;

export interface SpanCall {
  module: string;
  function: string;
  /** When it ended, in epoch milliseconds. */
  at: number;
  /** Whole microseconds; 0 if the clock did not move, or moved back. */
  durationUs: number;
  failure: { name: string; message: string } | null;
}

const INTERNAL = 1;
const SERVER = 2;
const CONSUMER = 5;
const ERROR = 2;
/** Longer spans are no calls whose duration anybody compares. They count as unmeasured. */
const LONGEST_US = 7 * 24 * 60 * 60 * 1e6;
/** Outcomes of a Worker that are no failures of its code. In the last two the client went away. */
const GOOD_OUTCOMES: ReadonlySet<unknown> = new Set(["ok", "canceled", "responseStreamDisconnected"]);
const NONE: Attributes = new Map();

export const DEFAULT_KINDS: SpanKinds = new Set([INTERNAL, SERVER, CONSUMER]);

/** Null if spans of its kind do not count. A span without a kind is internal. */
export function callIn(span: Span, kinds: SpanKinds): SpanCall | { reason: string } | null {
  const kind = span.kind || INTERNAL;
  if (!kinds.has(kind)) return null;
  const end = span.endTimeUnixNano ?? 0;
  if (!(end > 0)) return { reason: "A span has no end time." };
  const attributes = span.attributes ?? NONE;
  const name = functionOf(span, kind, attributes);
  if (name === "") return { reason: "A span has no name." };
  return {
    module: textOf(attributes.get("cloudflare.entrypoint")),
    function: name,
    at: end,
    durationUs: durationUs(span.startTimeUnixNano ?? 0, end),
    failure: failureOf(span, attributes),
  };
}

function functionOf(span: Span, kind: number, attributes: Attributes): string {
  const name = textOf(span.name);
  if (kind !== SERVER && kind !== CONSUMER) return textOf(attributes.get("code.function.name")) || name;
  const handler = textOf(attributes.get("cloudflare.handler_type"));
  if (handler === "" || handler === "fetch") return name;
  // Cloudflare's documentation and its exports differ in the first two names.
  const detail =
    attributes.get("jsrpc.method") ??
    attributes.get("cloudflare.jsrpc.method") ??
    attributes.get("faas.cron") ??
    attributes.get("cloudflare.queue.name");
  return detail === undefined ? handler : `${handler} ${detail}`;
}

function durationUs(start: number, end: number): number {
  if (!(start > 0)) return 0;
  const us = Math.round((end - start) * 1e3);
  return us > 0 && us <= LONGEST_US ? us : 0;
}

function failureOf(span: Span, attributes: Attributes): SpanCall["failure"] {
  const outcome = attributes.get("cloudflare.outcome");
  const isBadOutcome = outcome !== undefined && !GOOD_OUTCOMES.has(outcome);
  if (span.status?.code !== ERROR && !isBadOutcome) return null;
  const exception = span.events?.findLast((event) => event?.name === "exception")?.attributes;
  const type = exception?.get("exception.type");
  const message = exception?.get("exception.message");
  const named = textOf(attributes.get("error.type")) || (isBadOutcome ? textOf(outcome) : "") || "Error";
  return {
    name: textOf(type) || named,
    message: exception === undefined ? textOf(span.status?.message) : textOf(message),
  };
}

function textOf(value: AttributeValue | undefined): string {
  return value === undefined || value === null ? "" : String(value);
}
