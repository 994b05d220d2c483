/** Judges whether a function is clearly worse than at the same hour of earlier days. */
import type { Slower } from "../../stats/attention-durations.ts";
import type { CallCells } from "../../stats/call-cells.ts";
import { judgeErrorChange } from "../../stats/change.ts";
import { type RuleOf, secondsOf } from "../rule.ts";
import { unknown, type Verdict, verdict } from "./verdict.ts";
import { lastSpan, milliseconds, percent } from "./words.ts";

/** The last judgement of a function's durations. "no": it is not slower, or has too few calls to tell. */
export type SlowerNow = Pick<Slower, "p95Ms" | "usualP95Ms"> | "no" | "unknown";

export function judgeChange(
  rule: RuleOf<"change">,
  cells: CallCells,
  slower: SlowerNow | undefined,
  now: number,
): Verdict {
  if (rule.figure === "p95Ms") return judgeSlower(slower);
  const windowSeconds = secondsOf(rule.window);
  const { deviations, times, minCalls } = rule;
  const judged = judgeErrorChange(cells, { deviations, times, minCalls, windowSeconds }, now);
  if (typeof judged === "string") return unknown(judged);
  const { isWorse, share, usualShare } = judged;
  const said =
    `${percent(share)} of calls failed ${lastSpan(windowSeconds)}; ` +
    `at this hour of earlier days it was ${percent(usualShare)}.`;
  return verdict(isWorse, share, said);
}

/** By quarters of an hour, with the levels of `GET /attention`. */
export function judgeSlower(slower: SlowerNow | undefined): Verdict {
  if (slower === undefined)
    return unknown("Its durations are not read yet. They are judged every quarter of an hour.");
  if (slower === "unknown")
    return unknown("Too few hours of earlier days are known to compare its durations with.");
  if (slower === "no")
    return verdict(false, 0, "It is not slower than usual at this hour, or has too few calls to tell.");
  const { p95Ms, usualP95Ms } = slower;
  return verdict(
    true,
    p95Ms,
    `p95 is ${milliseconds(p95Ms)}, usually ${milliseconds(usualP95Ms)} at this hour.`,
  );
}
