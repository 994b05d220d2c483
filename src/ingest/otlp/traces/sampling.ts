/**
 * Finds out how many spans a sampled span stands for. Consistent samplers write their threshold into the trace state.
 *
 * https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
 */
import type { Span } from "../wire/trace-messages.ts";

const OT_ENTRY = /(?:^|,)\s*ot=([^,]*)/;
const THRESHOLD = /(?:^|;)th:([0-9a-f]{1,14})(?:;|$)/;
const HEX_DIGITS = 14;
const ALL = 16 ** HEX_DIGITS;
/** A sender that invents a threshold must not add up to more than numbers can hold. */
const MAX_WEIGHT = 1e6;

/** 1 if the span does not say that it was sampled. */
export function weightOf(span: Span): number {
  const threshold = thresholdOf(span);
  if (threshold === undefined) return 1;
  const rejected = Number.parseInt(threshold.padEnd(HEX_DIGITS, "0"), 16) / ALL;
  return Math.min(MAX_WEIGHT, 1 / (1 - rejected));
}

function thresholdOf({ attributes, traceState }: Span): string | undefined {
  const told = attributes?.get("sampling.threshold");
  if (typeof told === "string" && /^[0-9a-f]{1,14}$/.test(told)) return told;
  if (traceState === undefined) return undefined;
  return THRESHOLD.exec(OT_ENTRY.exec(traceState)?.[1] ?? "")?.[1];
}
