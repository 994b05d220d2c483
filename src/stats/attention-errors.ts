/**
 * Watches the errors of one function, minute by minute, and says since when it fails.
 *
 * A function fails if its share of failed calls is too high for two minutes in a row, over 5 minutes, 1 hour or 6 hours. Too
 * high is 4 deviations above the function's share of the past week, and above 1.5 times its own worst share. The past week
 * ends one to two hours ago and leaves out the time during which the function failed. See bench/attention for how often this
 * is wrong.
 */
import { ErrorHistory } from "./attention-error-history.ts";
import { errorLimits, MINUTES, WINDOWS } from "./attention-error-limits.ts";
import type { Past } from "./attention-past.ts";
import { Periods } from "./attention-periods.ts";
import { type Counts, deviationsAbove, lowestPlausibleShare } from "./attention-rates.ts";
import { HOUR, MINUTE } from "./tiers.ts";

export interface Failing {
  /** Epoch seconds. Null if it began before the history that is known. */
  since: number | null;
  /** True if the share differs from the function's own past. False if the function fails as usual. */
  isNew: boolean;
  /** Over the last hour, or over the last six hours if the last hour has no calls. */
  calls: number;
  errors: number;
  /** Null if the function has no past to compare with. */
  usualShare: number | null;
}

interface Sum {
  calls: number;
  errors: number;
}

/** The recent calls of one function, and whether it fails. Add whole hours first, then minutes, both in order of time. */
export class ErrorWatch {
  /** The minute that was added last, in minutes since the epoch. */
  private minute = -1;
  private firstMinute = -1;
  /** The first minute that was added by itself. Earlier ones are known only as part of their hours. */
  private firstSingle = -1;
  private minutes = new Periods(MINUTES);
  /** By window. */
  private sums = WINDOWS.map(() => ({ calls: 0, errors: 0 }));
  private history = new ErrorHistory(-1);
  private past: Past | null = null;
  /** Whether a window had too many errors a minute ago. */
  private wasOver = false;
  /** The last minute with a call. */
  private lastCalled = -1;
  /** The current failure, with the share and the past that it was found with. */
  private firing: { since: number; share: number; past: Past | null; isLong?: boolean } | null = null;

  /** An independent copy. */
  clone(): ErrorWatch {
    const copy = Object.assign(new ErrorWatch(), this);
    copy.minutes = this.minutes.clone();
    copy.sums = this.sums.map((sum) => ({ ...sum }));
    copy.history = this.history.clone();
    copy.firing = this.firing && { ...this.firing };
    return copy;
  }

  /** Epoch seconds up to which minutes were added. */
  get addedUntil(): number {
    return (this.minute + 1) * MINUTE;
  }

  /** Whether the function has a past of its own. */
  get hasPast(): boolean {
    return this.past !== null;
  }

  /** Adds an hour whose single minutes are not known. */
  addHour({ start, calls, errors }: Counts): void {
    const hour = start / HOUR;
    if (this.minute < 0) this.begin(hour);
    while (this.minute < hour * 60 - 1) this.closeHour(Math.floor((this.minute + 1) / 60), 0, 0);
    this.closeHour(hour, calls, errors);
  }

  /** Adds a minute. Minutes between the last one and this one had no calls. */
  addMinute({ start, calls, errors }: Counts): void {
    const minute = start / MINUTE;
    if (this.minute < 0) this.begin(Math.floor(minute / 60));
    this.passTo(minute - 1);
    this.step(calls, errors);
  }

  /** Lets minutes without calls pass, up to and including the minute given (epoch minutes). */
  passTo(minute: number): void {
    if (this.minute < 0) return;
    while (this.minute < minute) this.step(0, 0);
  }

  /** Says whether the function fails at the end of the last minute that was added. */
  failing(firstSeen: number): Failing | undefined {
    const sixHours = this.sums[2]!;
    const { calls, errors } = this.sums[1]!.calls > 0 ? this.sums[1]! : sixHours;
    if (this.firing) {
      const { since, past } = this.firing;
      return { since, isNew: true, calls, errors, usualShare: past && usualShareOf(past) };
    }
    const hour = Math.floor(this.minute / 60);
    if (sixHours.errors === 0 || !this.past || !this.history.isUsuallyHigh(this.past, hour)) return undefined;
    const since = this.history.highSince(hour, firstSeen);
    return { since, isNew: false, calls, errors, usualShare: usualShareOf(this.past) };
  }

  private begin(hour: number): void {
    this.minute = hour * 60 - 1;
    this.firstMinute = hour * 60;
    this.history = new ErrorHistory(hour);
  }

  /** Adds the next minute and judges. */
  private step(calls: number, errors: number): void {
    const minute = ++this.minute;
    if (this.firstSingle < 0) this.firstSingle = minute;
    for (let i = 0; i < WINDOWS.length; i++) {
      const sum = this.sums[i]!;
      // For the longest window this is the place of `minute`. It holds the minute that leaves until it is set below.
      const leaves = minute + MINUTES - WINDOWS[i]!.minutes;
      sum.calls += calls - this.minutes.callsAt(leaves);
      sum.errors += errors - this.minutes.errorsAt(leaves);
    }
    this.minutes.set(minute, calls, errors);
    if (calls > 0) this.lastCalled = minute;
    this.history.beginMinute(minute);
    if (minute % 60 === 0) this.past = this.history.pastAt(minute / 60);
    this.history.addMinute(minute, { calls, errors }, !this.firing?.past, !this.firing?.isLong);
    this.judge();
  }

  /** Adds a whole hour and judges by the windows of 1 and 6 hours. */
  private closeHour(hour: number, calls: number, errors: number): void {
    this.past = this.history.pastAt(hour);
    this.history.setHour(hour, { calls, errors });
    this.minute = hour * 60 + 59;
    if (calls > 0) this.lastCalled = this.minute;
    const sixHours = this.history.sumOf(hour - 5, hour);
    const isOver = this.isOver(1, { calls, errors }) || this.isOver(2, sixHours);
    if (!this.firing && isOver) this.fire(hour * HOUR, sixHours.errors / sixHours.calls);
    else if (this.firing) {
      const { since, share, past } = this.firing;
      const windows = [{ calls: 0, errors: 0 }, { calls, errors }, sixHours];
      const lasts = hour + 1 - since / HOUR;
      const isOver = windows.some(
        (sum, i) => WINDOWS[i]!.minutes <= lasts * 60 && isBetter(i, sum, share, past),
      );
      if (isOver || (sixHours.calls > 0 && sixHours.errors === 0)) this.firing = null;
    }
    this.history.settleHour(hour, !this.firing?.past);
    this.makeUsual();
  }

  /** Ends the current failure if it is over. Without a current failure, starts one if there are too many errors. */
  private judge(): void {
    this.makeUsual();
    if (this.firing) {
      const { since, share, past } = this.firing;
      const isOld = (this.minute - this.lastCalled) * MINUTE > errorLimits.keptUncalledSeconds;
      // A window that starts before the failure cannot show that the failure is over.
      const lasts = this.minute + 1 - since / MINUTE;
      const isOver = this.sums.some(
        (sum, i) => WINDOWS[i]!.minutes <= lasts && isBetter(i, sum, share, past),
      );
      if (past && !this.firing.isLong && lasts * MINUTE >= errorLimits.shortSeconds) {
        this.firing.isLong = true;
        this.history.removeHabit(since, this.minute);
      }
      if (isOld || isOver || this.isFlawless()) this.firing = null;
      return;
    }
    const over = this.sums[2]!.errors < errorLimits.minErrors ? -1 : this.overNow();
    if (over >= 0 && this.wasOver) {
      const { calls, errors } = this.sums[over]!;
      this.fire(this.beginOf(errors / calls), errors / calls);
    }
    this.wasOver = over >= 0;
  }

  /** Whether there were calls in the last six hours and none failed. */
  private isFlawless(): boolean {
    const { calls, errors } = this.sums[2]!;
    return calls > 0 && errors === 0;
  }

  /** The index of the first window with too many errors. -1 if none has, or if a shorter window shows that they are over. */
  private overNow(): number {
    const over = this.sums.findIndex((sum, i) => this.isOver(i, sum));
    if (over <= 0) return over;
    const { calls, errors } = this.sums[over]!;
    const isMended = this.sums.slice(0, over).some((sum, i) => isBetter(i, sum, errors / calls, this.past));
    return isMended ? -1 : over;
  }

  /** Whether a window has too many errors. `window` is its index in `WINDOWS`. */
  private isOver(window: number, { calls, errors }: Sum): boolean {
    const { minShare, highShare, overWorst, deviations } = errorLimits;
    const { minCalls, minErrors } = WINDOWS[window]!;
    const share = errors / calls;
    if (errors < minErrors || calls < minCalls || share < minShare) return false;
    const { past } = this;
    if (!past) return lowestPlausibleShare(calls, errors, 3) > highShare;
    const isYoung = window === 0 && this.minute - this.firstSingle < errorLimits.minBinHours * 60;
    if (isYoung && share <= highShare) return false;
    if (deviationsAbove(calls, errors, past.usual.share, 1) <= deviations) return false;
    const { worst, overdispersion } = past.spread;
    return (
      share > overWorst * worst[window]! &&
      deviationsAbove(calls, errors, past.usual.share, overdispersion[window]!) > deviations
    );
  }

  /** Starts a failure. If the function has a past, the time of the failure is removed from it. */
  private fire(since: number, share: number): void {
    this.firing = { since, share, past: this.past };
    this.wasOver = false;
    if (!this.past) return;
    // Compute the spread now, because the data for it is cleared below.
    void this.past.spread;
    this.history.removeFailure(since, this.minute);
  }

  /** Ends a failure that has lasted long and adds it to the past, because it is now the function's usual state. */
  private makeUsual(): void {
    if (!this.firing) return;
    const { since, past } = this.firing;
    const lasts = (this.minute + 1) * MINUTE - since;
    if (lasts <= (past ? errorLimits.newForSeconds : errorLimits.newWithoutPastSeconds)) return;
    this.firing = null;
    this.history.makeUsual(since, this.minute);
    this.past = this.history.pastAt(Math.floor(this.minute / 60));
  }

  /**
   * The most likely moment at which the failure began, in epoch seconds: the minute from which the excess of errors until now
   * is largest.
   *
   * Source: Page, Continuous inspection schemes, Biometrika 41 (1954).
   */
  private beginOf(share: number): number {
    const level = (share + (this.past?.usual.share ?? 0)) / 2;
    let [excess, most, begin] = [0, 0, this.minute];
    for (let minute = this.minute; minute > this.minute - MINUTES && minute >= this.firstMinute; minute--) {
      const errors = this.minutes.errorsAt(minute);
      excess += errors - level * this.minutes.callsAt(minute);
      if (excess > most && errors > 0) [most, begin] = [excess, minute];
    }
    return begin * MINUTE;
  }
}

function usualShareOf({ usual }: Past): number {
  return usual.errors / usual.calls;
}

/** Whether calls fail clearly less than `share`, and at most 1.5 times the usual worst share (5 % without a past). */
function isBetter(window: number, { calls, errors }: Sum, share: number, past: Past | null): boolean {
  if (calls < WINDOWS[window]!.minCalls) return false;
  const { minShare, overWorst, highShare } = errorLimits;
  const allowed = past ? Math.max(minShare, overWorst * past.spread.worst[window]!) : highShare;
  // A share of 1 has a deviation of 0, so the share is lowered by half a call.
  const failing = Math.min(share, 1 - 1 / (2 * calls));
  return errors / calls <= allowed && deviationsAbove(calls, errors, failing, 1) <= -2;
}
