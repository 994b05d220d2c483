/** Judges whether a function fails, as `GET /attention` does, and recognises an outage within a minute. */
import { watchOf } from "../../stats/attention.ts";
import type { ErrorWatch } from "../../stats/attention-errors.ts";
import { type CallCells, sumWindow } from "../../stats/call-cells.ts";
import { deviationsAbove } from "../../stats/attention-rates.ts";
import { findOutage } from "../../stats/outage.ts";
import { HOUR, MINUTE } from "../../stats/tiers.ts";
import { type Verdict, verdict } from "./verdict.ts";
import { percent, span } from "./words.ts";

/**
 * @param isOn whether the alert is on now
 * @param lacking the answer if the past is not known, which an outage does not need
 * @param now epoch seconds, at the end of a minute
 */
export function judgeFailing(
  cells: CallCells,
  now: number,
  isOn: boolean,
  lacking?: Verdict,
  prepared?: ErrorWatch,
): Verdict {
  if (!hasRecentErrors(cells, now)) return verdict(false, 0, "No call failed lately.");
  if (lacking && !findOutage(cells, now)) return lacking;
  // The watch takes the minute before `now` as its last one.
  return judgeWatch(watchOf(cells, (now - MINUTE) * 1000, prepared), cells, now, isOn);
}

/** `watch` has all minutes of `cells`. */
export function judgeWatch(watch: ErrorWatch, cells: CallCells, now: number, isOn: boolean): Verdict {
  const outage = findOutage(cells, now);
  const failing = watch.failing(cells.firstSeen);
  if (failing?.isNew) {
    const { calls, errors, usualShare, since } = failing;
    const share = calls > 0 ? errors / calls : 1;
    const usual = usualShare === null ? "it has no past to compare with" : `usually ${percent(usualShare)}`;
    const began = since === null ? "" : `; since ${span(Math.max(MINUTE, now - since))}`;
    const said = `${percent(share)} of calls fail, ${usual}${began}.`;
    if (!isOn && isMended(cells, now)) return verdict(false, share, "It failed, and is over.");
    return { ...verdict(true, share, said), ...(outage ? { isUrgent: true } : {}) };
  }
  if (outage) {
    const { calls, errors } = outage;
    return {
      ...verdict(true, errors / calls, `${errors} of the last ${calls} calls failed.`),
      isUrgent: true,
    };
  }
  return verdict(false, 0, "It does not fail more than usual.");
}

/** So many deviations below the share of five minutes, two minutes are better by more than chance. */
const BETTER = -1.7;

/**
 * Whether the last two minutes fail clearly less than the last five. The watch judges five minutes, so two bad minutes of a
 * deployment count with it for five.
 */
function isMended(cells: CallCells, now: number): boolean {
  const recent = sumWindow(cells, now - 2 * MINUTE, now);
  const five = sumWindow(cells, now - 5 * MINUTE, now);
  if (recent.calls === 0 || five.errors === 0) return false;
  const share = Math.min(five.errors / five.calls, 1 - 1 / (2 * five.calls));
  return deviationsAbove(recent.calls, recent.errors, share, 1) <= BETTER;
}

/** Whether it can be failing, found without the slower watch. */
function hasRecentErrors({ minutes }: CallCells, now: number): boolean {
  for (let i = minutes.length - 1; i >= 0; i--) {
    const { start, errors } = minutes[i]!;
    if (start < now - 30 * HOUR) return false;
    if (errors > 0 && start < now) return true;
  }
  return false;
}
