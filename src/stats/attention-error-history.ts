/** The calls and errors of one function over four weeks, and what is usual for it: the past that `ErrorWatch` compares with. */
import { errorLimits } from "./attention-error-limits.ts";
import { Past, secondWorstDay, type Spread, spreadOf } from "./attention-past.ts";
import { Periods } from "./attention-periods.ts";
import { lowestPlausibleShare, usualOf } from "./attention-rates.ts";
import { DAY, HOUR, MINUTE } from "./tiers.ts";

const BINS = (47 * HOUR) / (5 * MINUTE);
const HOURS = (28 * DAY) / HOUR;
const LEARNED_HOURS = (7 * DAY) / HOUR;

interface Sum {
  calls: number;
  errors: number;
}

/** Hours and minutes are numbers since the epoch. */
export class ErrorHistory {
  private readonly firstHour: number;
  /** By five minutes, without the time during which the function failed. */
  private bins = new Periods(BINS);
  private hours = new Periods(HOURS);
  /** As `hours`, without the time during which the function failed. */
  private sound = new Periods(HOURS);
  /** As `hours`, without long failures. Short ones are included. */
  private habits = new Periods(HOURS);

  constructor(firstHour: number) {
    this.firstHour = firstHour;
  }

  /** An independent copy. */
  clone(): ErrorHistory {
    const copy = new ErrorHistory(this.firstHour);
    copy.bins = this.bins.clone();
    copy.hours = this.hours.clone();
    copy.sound = this.sound.clone();
    copy.habits = this.habits.clone();
    return copy;
  }

  /** Makes room. Call it before the minute is added. */
  beginMinute(minute: number): void {
    if (minute % 5 === 0) this.bins.set(Math.floor(minute / 5), 0, 0);
    if (minute % 60 !== 0) return;
    for (const hours of [this.hours, this.sound]) hours.set(Math.floor(minute / 60), 0, 0);
  }

  /** A minute of a failure counts as sound if the function has no past, and as a habit until the failure is long. */
  addMinute(minute: number, { calls, errors }: Sum, isSound: boolean, isHabit: boolean): void {
    const hour = Math.floor(minute / 60);
    this.hours.add(hour, calls, errors);
    if (isHabit) this.habits.add(hour, calls, errors);
    if (!isSound) return;
    this.bins.add(Math.floor(minute / 5), calls, errors);
    this.sound.add(hour, calls, errors);
  }

  /** Sets an hour whose single minutes are not known. */
  setHour(hour: number, { calls, errors }: Sum): void {
    this.hours.set(hour, calls, errors);
  }

  /** Decides whether such an hour counts as sound. */
  settleHour(hour: number, isSound: boolean): void {
    const [calls, errors] = isSound ? [this.hours.callsAt(hour), this.hours.errorsAt(hour)] : [0, 0];
    this.sound.set(hour, calls, errors);
    this.habits.set(hour, calls, errors);
  }

  /** Removes a failure that began at `since` (epoch seconds), because it must not count as the function's usual state. */
  removeFailure(since: number, minute: number): void {
    const last = Math.floor(minute / 5);
    const first = Math.max(Math.floor(since / (5 * MINUTE)), last - BINS + 1);
    for (let bin = first; bin <= last; bin++) this.bins.set(bin, 0, 0);
    for (const hour of hoursFrom(since, minute)) this.sound.set(hour, 0, 0);
  }

  /** Removes a failure from the habits. A long failure is never usual, however often it recurs. */
  removeHabit(since: number, minute: number): void {
    for (const hour of hoursFrom(since, minute)) this.habits.set(hour, 0, 0);
  }

  /** Counts a failure as the function's usual state from now on. */
  makeUsual(since: number, minute: number): void {
    for (const hour of hoursFrom(since, minute)) this.settleHour(hour, true);
  }

  /** The function's past at an hour: the week that ended one to two hours before it. Null if it has too few calls. */
  pastAt(hour: number): Past | null {
    const first = Math.max(this.firstHour, hour - 1 - LEARNED_HOURS);
    let [calls, errors] = [0, 0];
    for (let h = first; h < hour - 1; h++) {
      calls += this.sound.callsAt(h);
      errors += this.sound.errorsAt(h);
    }
    if (calls < errorLimits.minPastCalls) return null;
    const usual = usualOf(calls, errors);
    return new Past(usual, () => this.spreadAt(hour, first, usual.share));
  }

  /** Slow, so it is called only once a window has clearly more errors than usual. */
  private spreadAt(hour: number, first: number, share: number): Spread {
    const end = hour - 1;
    const hours = spreadOf(this.sound.calls, this.sound.errors, first, end, share);
    // Without the oldest bins, because the current hour overwrites them.
    const firstBin = Math.max(first * 12, (hour - 46) * 12);
    const bins = spreadOf(this.bins.calls, this.bins.errors, firstBin, end * 12, share);
    const oldest = Math.max(this.firstHour, hour - HOURS + 2);
    const sound = spreadOf(this.sound.calls, this.sound.errors, oldest, end, share);
    // Short failures that recur on several days, such as at each deploy, are usual.
    const again = secondWorstDay(this.habits.calls, this.habits.errors, oldest, end, share);
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

  /** Adds up the hours from `first` to `last`, both included. */
  sumOf(first: number, last: number): Sum {
    const sum = { calls: 0, errors: 0 };
    for (let hour = Math.max(first, this.firstHour); hour <= last; hour++) {
      sum.calls += this.hours.callsAt(hour);
      sum.errors += this.hours.errorsAt(hour);
    }
    return sum;
  }

  /** Whether so high a share of failed calls is usual: over the past, and over the last 24 hours. */
  isUsuallyHigh(past: Past, hour: number): boolean {
    return isHigh(past.usual) && isHigh(this.sumOf(hour - 23, hour));
  }

  /**
   * Since when the share of failed calls is high, in epoch seconds. Null if it was high before the hours that are known.
   *
   * @param firstSeen epoch milliseconds
   */
  highSince(hour: number, firstSeen: number): number | null {
    let since: number | null = hour * HOUR;
    const oldest = Math.max(this.firstHour, hour - HOURS + 1);
    for (let last = hour; last >= oldest; last -= 24) {
      const first = Math.max(oldest, last - 23);
      const sum = this.sumOf(first, last);
      if (sum.calls > 0 && sum.errors / sum.calls <= errorLimits.highShare) {
        for (let h = last; h >= first && this.isHighIn(h); h--) since = h * HOUR;
        break;
      }
      for (let h = last; h >= first; h--) if (this.hours.errorsAt(h) > 0) since = h * HOUR;
      if (first === oldest && firstSeen / 1000 < oldest * HOUR) since = null;
    }
    return since;
  }

  private isHighIn(hour: number): boolean {
    return this.hours.errorsAt(hour) > errorLimits.highShare * this.hours.callsAt(hour);
  }
}

/** Whether the share of failed calls is clearly above `highShare`. */
function isHigh({ calls, errors }: Sum): boolean {
  return errors >= errorLimits.minErrors && lowestPlausibleShare(calls, errors, 2) > errorLimits.highShare;
}

/** The hours from `since` (epoch seconds) up to the one of `minute`. */
function hoursFrom(since: number, minute: number): number[] {
  const [first, last] = [Math.floor(since / HOUR), Math.floor(minute / 60)];
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
}
