/** Judges whether a function, or a whole service, is not called though it should be. */
import { judgeSilence, learnPauses, silenceLimits } from "../../stats/attention-silence.ts";
import type { Cell, CallCells } from "../../stats/call-cells.ts";
import { MINUTE } from "../../stats/tiers.ts";
import { unknown, type Verdict, verdict } from "./verdict.ts";
import { span } from "./words.ts";

/**
 * @param after seconds; undefined if it is learned from the function's own pauses
 * @param aliveSince epoch seconds from which the function could be called: its service was silent before
 * @param now epoch seconds
 */
export function judgeQuiet(
  cells: CallCells,
  after: number | undefined,
  aliveSince: number,
  now: number,
): Verdict {
  const lastSeen = Math.max(cells.lastSeen, aliveSince * 1000);
  const quiet = now - lastSeen / 1000;
  const said = `Last called ${span(Math.max(0, now - cells.lastSeen / 1000))} ago`;
  if (after !== undefined) {
    return verdict(quiet > after, quiet, `${said}; the limit is ${span(after)}.`);
  }
  if (quiet <= silenceLimits.extraSeconds) return verdict(false, quiet, `${said}.`);
  const judged = judgeSilence(learnPauses(cells.minutes, cells.hours), cells.firstSeen, lastSeen, now * 1000);
  if (judged === "unknown") {
    return unknown(
      "It has been called for less than two days, or hardly ever, so its usual pauses are not known.",
    );
  }
  // After a day the silence is its usual state: the function was probably removed.
  if (!judged || !judged.isNew) return verdict(false, quiet, `${said}.`);
  const usual = span(Math.max(MINUTE, judged.usualGapSeconds));
  return verdict(true, quiet, `${said}; at this hour it usually pauses ${usual} at most.`);
}

/** The calls of several functions as if they were one. */
export function mergeCells(all: readonly CallCells[]): CallCells {
  return {
    firstSeen: Math.min(...all.map(({ firstSeen }) => firstSeen)),
    lastSeen: Math.max(...all.map(({ lastSeen }) => lastSeen)),
    minutes: mergeByStart(all.flatMap(({ minutes }) => minutes)),
    hours: mergeByStart(all.flatMap(({ hours }) => hours)),
  };
}

function mergeByStart(cells: readonly Cell[]): Cell[] {
  const merged = new Map<number, Cell>();
  for (const { start, calls, errors, measured, sumUs } of cells) {
    const sum = merged.get(start);
    if (!sum) merged.set(start, { start, calls, errors, measured, sumUs });
    else {
      sum.calls += calls;
      sum.errors += errors;
      sum.measured += measured;
      sum.sumUs += sumUs;
    }
  }
  return [...merged.values()].sort((a, b) => a.start - b.start);
}
