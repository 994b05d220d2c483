/** Sums the spans of a request, by service. */
import { bucketIndex } from "../../../stats/histogram.ts";
import { ingestLimits } from "../../limits.ts";
import { printable } from "../../sample-text.ts";
import { addFailureTo, type SeriesSum } from "../series-sums.ts";
import type { ServiceSums } from "../service-sums.ts";
import type { OtlpSettings } from "../settings.ts";
import type { Tally } from "../tally.ts";
import type { Span } from "../wire/trace-messages.ts";
import { callIn, type SpanCall } from "./span-call.ts";
import { weightOf } from "./sampling.ts";

const MINUTE_MS = 60_000;

/** Returns a function that adds one span. */
export function spanSummer(
  services: ServiceSums,
  tally: Tally,
  settings: OtlpSettings,
): (span: Span) => void {
  const { kinds, scalesSampled } = settings;
  return function addSpan(span) {
    const attributes = span.parent?.parent?.resource?.attributes;
    if (services.isIgnored(attributes?.get("service.name"))) return void tally.dropped++;
    const call = callIn(span, kinds);
    if (call === null) return void tally.dropped++;
    if ("reason" in call) return tally.reject(call.reason);
    const sums = services.of(attributes?.get("service.name"));
    if ("reason" in sums) return tally.reject(sums.reason);
    const sum = sums.of(call.module, call.function, Math.floor(call.at / MINUTE_MS) * 60);
    if (sum === undefined) return tally.reject("A span's name has no visible character.");
    addCall(sum, call, scalesSampled ? weightOf(span) : 1);
  };
}

/** @param weight how many calls the span stands for */
function addCall(sum: SeriesSum, { at, durationUs, failure }: SpanCall, weight: number): void {
  const { delta } = sum;
  const calls = wholeCalls(sum, weight);
  const seen = Math.floor(at);
  sum.items++;
  delta.calls += calls;
  delta.firstSeen = Math.min(delta.firstSeen, seen);
  delta.lastSeen = Math.max(delta.lastSeen, seen);
  if (durationUs > 0) {
    const ms = durationUs / 1e3;
    delta.sumUs += durationUs * calls;
    if (calls > 0) delta.buckets.push(bucketIndex(ms), calls);
    delta.minMs = Math.min(delta.minMs ?? ms, ms);
    delta.maxMs = Math.max(delta.maxMs ?? ms, ms);
  } else {
    delta.unmeasured += calls;
  }
  if (failure === null || calls === 0) return;
  delta.errors += calls;
  addFailureTo(sum, {
    name: printable(failure.name, ingestLimits.failureNameLength),
    message: printable(failure.message, ingestLimits.failureMessageLength),
    calls,
  });
}

/** Rounds weights to whole calls so that their sum stays within half a call of the true one. */
function wholeCalls(sum: SeriesSum, weight: number): number {
  if (weight === 1) return 1;
  const calls = Math.floor(sum.carried + weight);
  sum.carried += weight - calls;
  return calls;
}
