/** Says in one sentence why a function needs attention, for pages, alerts and screen readers. */
import type { Verdict } from "./attention.ts";
import { DAY, HOUR, MINUTE } from "./tiers.ts";

/** `lastSeen` and `now` are in epoch milliseconds. */
export function sentenceOf(verdict: Verdict, lastSeen: number, now: number): string {
  switch (verdict.kind) {
    case "failing":
      return failing(verdict, now);
    case "silent":
      return (
        `Last called ${span(now / 1000 - lastSeen / 1000)} ago; ` +
        `at this hour it usually pauses ${span(verdict.usualGapSeconds!)} at most.`
      );
    case "slower":
      return `p95 is ${duration(verdict.p95Ms!)}, usually ${duration(verdict.usualP95Ms!)}${sinceWords(verdict, now)}.`;
  }
}

function failing(verdict: Verdict, now: number): string {
  const { calls, errors, usualErrorRate, isNew } = verdict;
  const share = calls > 0 ? `${percent(errors / calls)} of calls fail` : "Its last calls failed";
  if (!isNew) return `${share}, as usual${sinceWords(verdict, now)}.`;
  const usual =
    usualErrorRate === null ? "it has no past to compare with" : `usually ${percent(usualErrorRate)}`;
  return `${share}, ${usual}${sinceWords(verdict, now)}.`;
}

function sinceWords({ since }: Verdict, now: number): string {
  return since === null ? "" : `; since ${span(Math.max(MINUTE, now / 1000 - since))}`;
}

function percent(share: number): string {
  const value = share * 100;
  return `${value >= 10 || value === 0 ? Math.round(value) : Number(value.toPrecision(2))} %`;
}

function duration(ms: number): string {
  if (ms >= 1000) return `${Number((ms / 1000).toPrecision(3))} s`;
  return `${Number(ms.toPrecision(3))} ms`;
}

/** In days from 2 days on, in hours from 2 hours on, in minutes from 1 minute on: 90 minutes, not 1.5 hours. */
function span(seconds: number): string {
  const [unit, name] =
    seconds >= 2 * DAY
      ? [DAY, "day"]
      : seconds >= 2 * HOUR
        ? [HOUR, "hour"]
        : seconds >= MINUTE
          ? [MINUTE, "minute"]
          : [1, "second"];
  const count = Math.floor(seconds / unit);
  return `${count} ${name}${count === 1 ? "" : "s"}`;
}
