/**
 * Watches the errors of one function, minute by minute, and says since when it fails.
 *
 * A function fails if its share of failed calls is too high for two minutes in a row, over 5 minutes, 1 hour or 6 hours. Too
 * high is 4 deviations above the function's share of the past week, and above 1.5 times its own worst share. The past week
 * ends one to two hours ago and leaves out the time during which the function failed. See bench/attention for how often this
 * is wrong.
 */
import { Past, secondWorstDay, type Spread, spreadOf } from "./attention-past.ts";
import { type Counts, deviationsAbove, lowestPlausibleShare, usualOf } from "./attention-rates.ts";
import { DAY, HOUR, MINUTE } from "./tiers.ts";

export const errorLimits = {
  deviations: 4,
  /** Times the worst share that the function had over as long a time. */
  overWorst: 1.5,
  /** The worst share is capped at this, so that a function whose calls all fail is always reported. */
  maxWorst: 0.5,
  /** A shorter failure counts as usual if it also happens on another day. */
  shortSeconds: 30 * MINUTE,
  /** No share below this is reported. */
  minShare: 0.01,
  minErrors: 3,
  /** A function without a past fails above this share. One whose usual share is above it is reported as failing as usual. */
  highShare: 0.05,
  /** With fewer calls in the past week, a function has no past to compare with. */
  minPastCalls: 20,
  /** With fewer hours of five-minute sums, their worst share is not reliable. */
  minBinHours: 12,
  /** A failure that lasts longer counts as the usual state. */
  newForSeconds: 7 * DAY,
  /** The same for a function that failed from its first calls on. */
  newWithoutPastSeconds: DAY,
  /** How long a function that failed stays listed after its last call. */
  keptUncalledSeconds: DAY,
} as const;

/** The windows over which the share is judged, with the calls and failed calls that each needs. */
const WINDOWS = [
  { minutes: 5, minCalls: 5, minErrors: 5 },
  { minutes: 60, minCalls: 5, minErrors: 4 },
  { minutes: 360, minCalls: 3, minErrors: 3 },
] as const;
const MINUTES = 360;
const BINS = (47 * HOUR) / (5 * MINUTE);
const HOURS = 28 * 24;
const LEARNED_HOURS = 7 * 24;

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

/**
 * The recent calls of one function, and whether it fails. Add whole hours first, then minutes, both in order of time.
 *
 * The arrays are ring buffers: a minute, a period of five minutes or an hour has its number since the epoch, modulo the length
 * of the array, as its index.
 */
export class ErrorWatch {
  /** The minute that was added last, in minutes since the epoch. */
  private minute = -1;
  private firstMinute = -1;
  /** The first minute that was added by itself. Earlier ones are known only as part of their hours. */
  private firstSingle = -1;
  /** By minute. */
  private calls = new Float64Array(MINUTES);
  private errors = new Float64Array(MINUTES);
  /** By window. */
  private sums = WINDOWS.map(() => ({ calls: 0, errors: 0 }));
  /** By five minutes, without the time during which the function failed. */
  private binCalls = new Float64Array(BINS);
  private binErrors = new Float64Array(BINS);
  /** By hour. */
  private hourCalls = new Float64Array(HOURS);
  private hourErrors = new Float64Array(HOURS);
  /** As `hourCalls` and `hourErrors`, without the time during which the function failed. */
  private soundCalls = new Float64Array(HOURS);
  private soundErrors = new Float64Array(HOURS);
  /** As `hourCalls` and `hourErrors`, without long failures. Short ones are included. */
  private habitCalls = new Float64Array(HOURS);
  private habitErrors = new Float64Array(HOURS);
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
    copy.calls = this.calls.slice();
    copy.errors = this.errors.slice();
    copy.sums = this.sums.map((sum) => ({ ...sum }));
    copy.binCalls = this.binCalls.slice();
    copy.binErrors = this.binErrors.slice();
    copy.hourCalls = this.hourCalls.slice();
    copy.hourErrors = this.hourErrors.slice();
    copy.soundCalls = this.soundCalls.slice();
    copy.soundErrors = this.soundErrors.slice();
    copy.habitCalls = this.habitCalls.slice();
    copy.habitErrors = this.habitErrors.slice();
    copy.firing = this.firing && { ...this.firing };
    return copy;
  }

  /** Epoch seconds up to which minutes were added. */
  get addedUntil(): number {
    return (this.minute + 1) * MINUTE;
  }

  /** Adds an hour whose single minutes are not known. */
  addHour({ start, calls, errors }: Counts): void {
    const hour = start / HOUR;
    if (this.minute < 0) this.begin(hour * 60);
    while (this.minute < hour * 60 - 1) this.closeHour(Math.floor((this.minute + 1) / 60), 0, 0);
    this.closeHour(hour, calls, errors);
  }

  /** Adds a minute. Minutes between the last one and this one had no calls. */
  addMinute({ start, calls, errors }: Counts): void {
    const minute = start / MINUTE;
    if (this.minute < 0) this.begin(Math.floor(minute / 60) * 60);
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
      return {
        since,
        isNew: true,
        calls,
        errors,
        usualShare: past ? past.usual.errors / past.usual.calls : null,
      };
    }
    return sixHours.errors > 0 && this.past ? this.failingAsUsual(firstSeen, { calls, errors }) : undefined;
  }

  /** Whether the function has a past of its own. */
  get hasPast(): boolean {
    return this.past !== null;
  }

  private begin(minute: number): void {
    this.minute = minute - 1;
    this.firstMinute = minute;
  }

  /** Adds the next minute and judges. */
  private step(calls: number, errors: number): void {
    const minute = ++this.minute;
    if (this.firstSingle < 0) this.firstSingle = minute;
    const at = minute % MINUTES;
    for (let i = 0; i < WINDOWS.length; i++) {
      const sum = this.sums[i]!;
      // For the longest window this is the slot `at`. It holds the minute that leaves until it is overwritten below.
      const leaves = (minute + MINUTES - WINDOWS[i]!.minutes) % MINUTES;
      sum.calls += calls - this.calls[leaves]!;
      sum.errors += errors - this.errors[leaves]!;
    }
    this.calls[at] = calls;
    this.errors[at] = errors;
    if (calls > 0) this.lastCalled = minute;
    this.addToBins(minute, calls, errors);
    this.judge();
  }

  private addToBins(minute: number, calls: number, errors: number): void {
    const bin = Math.floor(minute / 5) % BINS;
    const hour = Math.floor(minute / 60) % HOURS;
    if (minute % 5 === 0) this.binCalls[bin] = this.binErrors[bin] = 0;
    if (minute % 60 === 0) {
      for (const hours of [this.hourCalls, this.hourErrors, this.soundCalls, this.soundErrors])
        hours[hour] = 0;
      this.learn(Math.floor(minute / 60));
    }
    this.hourCalls[hour]! += calls;
    this.hourErrors[hour]! += errors;
    if (!this.firing?.isLong) {
      this.habitCalls[hour]! += calls;
      this.habitErrors[hour]! += errors;
    }
    if (this.firing?.past) return;
    this.binCalls[bin]! += calls;
    this.binErrors[bin]! += errors;
    this.soundCalls[hour]! += calls;
    this.soundErrors[hour]! += errors;
  }

  /** Adds a whole hour and judges by the windows of 1 and 6 hours. */
  private closeHour(hour: number, calls: number, errors: number): void {
    this.learn(hour);
    const at = hour % HOURS;
    this.hourCalls[at] = calls;
    this.hourErrors[at] = errors;
    this.minute = hour * 60 + 59;
    if (calls > 0) this.lastCalled = this.minute;
    const sixHours = this.sumOfHours(hour - 5, hour);
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
    this.soundCalls[at] = this.firing?.past ? 0 : calls;
    this.soundErrors[at] = this.firing?.past ? 0 : errors;
    this.habitCalls[at] = this.soundCalls[at]!;
    this.habitErrors[at] = this.soundErrors[at]!;
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
      if (past && !this.firing.isLong && lasts * MINUTE >= errorLimits.shortSeconds) this.forgetHabit(since);
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

  /** Marks the failure as long and removes it from the habits. A long failure is never usual, however often it recurs. */
  private forgetHabit(since: number): void {
    this.firing!.isLong = true;
    for (let hour = Math.floor(since / HOUR); hour <= Math.floor(this.minute / 60); hour++) {
      this.habitCalls[hour % HOURS] = this.habitErrors[hour % HOURS] = 0;
    }
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
  private isOver(window: number, { calls, errors }: { calls: number; errors: number }): boolean {
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
    // The failure must not count as the function's usual state.
    const first = Math.floor(since / (5 * MINUTE));
    const last = Math.floor(this.minute / 5);
    for (let bin = Math.max(first, last - BINS + 1); bin <= last; bin++) {
      this.binCalls[bin % BINS] = this.binErrors[bin % BINS] = 0;
    }
    for (let hour = Math.floor(since / HOUR); hour <= Math.floor(this.minute / 60); hour++) {
      this.soundCalls[hour % HOURS] = this.soundErrors[hour % HOURS] = 0;
    }
  }

  /** Ends a failure that has lasted long and adds it to the past, because it is now the function's usual state. */
  private makeUsual(): void {
    if (!this.firing) return;
    const { since, past } = this.firing;
    const lasts = (this.minute + 1) * MINUTE - since;
    if (lasts <= (past ? errorLimits.newForSeconds : errorLimits.newWithoutPastSeconds)) return;
    this.firing = null;
    for (let hour = Math.floor(since / HOUR); hour <= Math.floor(this.minute / 60); hour++) {
      this.soundCalls[hour % HOURS] = this.hourCalls[hour % HOURS]!;
      this.soundErrors[hour % HOURS] = this.hourErrors[hour % HOURS]!;
      this.habitCalls[hour % HOURS] = this.hourCalls[hour % HOURS]!;
      this.habitErrors[hour % HOURS] = this.hourErrors[hour % HOURS]!;
    }
    this.learn(Math.floor(this.minute / 60));
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
      const at = minute % MINUTES;
      excess += this.errors[at]! - level * this.calls[at]!;
      if (excess > most && this.errors[at]! > 0) [most, begin] = [excess, minute];
    }
    return begin * MINUTE;
  }

  /** Learns the function's past from the hours before `hour - 1`. */
  private learn(hour: number): void {
    const [first, end] = [Math.max(Math.floor(this.firstMinute / 60), hour - 1 - LEARNED_HOURS), hour - 1];
    let [calls, errors] = [0, 0];
    for (let h = first; h < end; h++) {
      calls += this.soundCalls[h % HOURS]!;
      errors += this.soundErrors[h % HOURS]!;
    }
    if (calls < errorLimits.minPastCalls) {
      this.past = null;
      return;
    }
    const usual = usualOf(calls, errors);
    this.past = new Past(usual, () => this.spreadAt(hour, first, usual.share));
  }

  /** Slow, so it is called only once a window has clearly more errors than usual. */
  private spreadAt(hour: number, first: number, share: number): Spread {
    const end = hour - 1;
    const hours = spreadOf(this.soundCalls, this.soundErrors, first, end, share);
    const bins = spreadOf(
      this.binCalls,
      this.binErrors,
      // Without the oldest bins, because the current hour overwrites them.
      Math.max(first * 12, (hour - 46) * 12),
      end * 12,
      share,
    );
    const oldest = Math.max(Math.floor(this.firstMinute / 60), hour - HOURS + 2);
    const sound = spreadOf(this.soundCalls, this.soundErrors, oldest, end, share);
    // Short failures that recur on several days, such as at each deploy, are usual.
    const again = secondWorstDay(this.habitCalls, this.habitErrors, oldest, end, share);
    const worst = [
      Math.max(bins.worst, sound.worstWithin, again.worstWithin),
      Math.max(sound.worst, again.worst),
      Math.max(sound.worstOfSix, again.worstOfSix),
    ].map((worst) => Math.min(worst, errorLimits.maxWorst));
    const overdispersion = [
      Math.max(bins.overdispersion, 1),
      hours.overdispersion,
      // Neighbouring hours may fail together, so six hours are assumed to vary as much as one.
      hours.overdispersion,
    ];
    return { overdispersion, worst };
  }

  /** Says since when the function fails as usual, if its usual share and that of the last 24 hours are both high. */
  private failingAsUsual(firstSeen: number, shown: { calls: number; errors: number }): Failing | undefined {
    const hour = Math.floor(this.minute / 60);
    if (!this.isHigh(this.past!.usual) || !this.isHigh(this.sumOfHours(hour - 23, hour))) return undefined;
    let since: number | null = hour * HOUR;
    const oldest = Math.max(Math.floor(this.firstMinute / 60), hour - HOURS + 1);
    for (let last = hour; last >= oldest; last -= 24) {
      const first = Math.max(oldest, last - 23);
      const sum = this.sumOfHours(first, last);
      if (sum.calls > 0 && sum.errors / sum.calls <= errorLimits.highShare) {
        for (let h = last; h >= first && this.isHighIn(h); h--) since = h * HOUR;
        break;
      }
      for (let h = last; h >= first; h--) if (this.hourErrors[h % HOURS]! > 0) since = h * HOUR;
      if (first === oldest && firstSeen / 1000 < oldest * HOUR) since = null;
    }
    return { since, isNew: false, ...shown, usualShare: this.past!.usual.errors / this.past!.usual.calls };
  }

  private isHighIn(hour: number): boolean {
    const [calls, errors] = [this.hourCalls[hour % HOURS]!, this.hourErrors[hour % HOURS]!];
    return errors > errorLimits.highShare * calls;
  }

  /** Whether the share of failed calls is clearly above `highShare`. */
  private isHigh({ calls, errors }: { calls: number; errors: number }): boolean {
    return errors >= errorLimits.minErrors && lowestPlausibleShare(calls, errors, 2) > errorLimits.highShare;
  }

  /** Adds up the hours from `first` to `last`, both included. */
  private sumOfHours(first: number, last: number): { calls: number; errors: number } {
    const sum = { calls: 0, errors: 0 };
    for (let hour = Math.max(first, Math.floor(this.firstMinute / 60)); hour <= last; hour++) {
      sum.calls += this.hourCalls[hour % HOURS]!;
      sum.errors += this.hourErrors[hour % HOURS]!;
    }
    return sum;
  }
}

/** Whether calls fail clearly less than `share`, and at most 1.5 times the usual worst share (5 % without a past). */
function isBetter(
  window: number,
  { calls, errors }: { calls: number; errors: number },
  share: number,
  past: Past | null,
): boolean {
  if (calls < WINDOWS[window]!.minCalls) return false;
  const { minShare, overWorst, highShare } = errorLimits;
  const allowed = past ? Math.max(minShare, overWorst * past.spread.worst[window]!) : highShare;
  // A share of 1 has a deviation of 0, so the share is lowered by half a call.
  const failing = Math.min(share, 1 - 1 / (2 * calls));
  return errors / calls <= allowed && deviationsAbove(calls, errors, failing, 1) <= -2;
}
