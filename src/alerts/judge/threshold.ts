/** Judges whether a figure over a window is above or below a value. */
import { type CallCells, sumWindow, type WindowSum } from "../../stats/call-cells.ts";
import { type Figure, type RuleOf, secondsOf } from "../rule.ts";
import { counted, lastSpan, milliseconds, percent } from "./words.ts";
import { unknown, type Verdict, verdict } from "./verdict.ts";

/**
 * An alert that is on goes off only if the figure is better than the value by this share of it. Otherwise a figure close to
 * the value would turn it on and off.
 */
export const HYSTERESIS = 0.1;

const QUANTILES: Partial<Record<Figure, number>> = { p50Ms: 0.5, p90Ms: 0.9, p95Ms: 0.95, p99Ms: 0.99 };

/** The duration that a rule compares calls with, in milliseconds. Calls above it must be counted for the rule. */
export function limitOf({ figure, above, below }: RuleOf<"threshold">): number | undefined {
  return QUANTILES[figure] === undefined ? undefined : (above ?? below);
}

/** `isOn` says whether the alert is on now. `now` is in epoch seconds. */
export function judgeThreshold(
  rule: RuleOf<"threshold">,
  cells: CallCells,
  now: number,
  isOn: boolean,
): Verdict {
  const window = secondsOf(rule.window);
  const sum = sumWindow(cells, now - window, now, limitOf(rule));
  const over = lastSpan(window);
  if (rule.figure === "calls")
    return compare(rule, sum.calls, isOn, `${counted(sum.calls, "call")} ${over}`, String);
  const isDuration = rule.figure !== "errorRate";
  const counts = isDuration ? sum.measured : sum.calls;
  if (counts < rule.minCalls || counts === 0) {
    const what = isDuration ? "call with a measured duration" : "call";
    return unknown(`${counted(counts, what)} ${over}, and the rule needs ${Math.max(1, rule.minCalls)}.`);
  }
  const quantile = QUANTILES[rule.figure];
  if (quantile !== undefined) return judgeQuantile(rule, quantile, sum, isOn, over);
  if (rule.figure === "averageMs") {
    const average = sum.sumUs / sum.measured / 1000;
    return compare(
      rule,
      average,
      isOn,
      `The average duration was ${milliseconds(average)} ${over}`,
      milliseconds,
    );
  }
  const rate = sum.errors / sum.calls;
  const said = `${percent(rate)} of calls failed ${over} (${sum.errors} of ${sum.calls})`;
  return compare(rule, rate, isOn, said, percent);
}

function compare(
  { above, below }: RuleOf<"threshold">,
  value: number,
  isOn: boolean,
  said: string,
  write: (value: number) => string,
): Verdict {
  if (above !== undefined) {
    const level = isOn ? above * (1 - HYSTERESIS) : above;
    return verdict(value > level, value, `${said}; the limit is ${write(above)}.`);
  }
  const level = isOn ? below! * (1 + HYSTERESIS) : below!;
  return verdict(value < level, value, `${said}; at least ${write(below!)} is expected.`);
}

/** The quantile is above the limit exactly if more calls than `1 - quantile` of all took longer. */
function judgeQuantile(
  rule: RuleOf<"threshold">,
  quantile: number,
  { measured, slow }: WindowSum,
  isOn: boolean,
  over: string,
): Verdict {
  const limit = (rule.above ?? rule.below)!;
  const isAboveMeant = rule.above !== undefined;
  const margin = isOn ? (isAboveMeant ? 1 - HYSTERESIS : 1 + HYSTERESIS) : 1;
  const allowed = (measured - Math.ceil(quantile * measured)) * margin;
  const isAbove = slow > allowed;
  const share = slow / measured;
  const name = rule.figure.replace("Ms", "");
  const sentence =
    `${percent(share)} of calls took longer than ${milliseconds(limit)} ${over}; ` +
    `for a ${name} ${isAboveMeant ? "within" : "above"} it, ${isAboveMeant ? "at most" : "more than"} ${percent(1 - quantile)} may.`;
  return verdict(isAboveMeant ? isAbove : !isAbove, share, sentence);
}
