/** Learns from the past of a function how its share of failed calls varies, and its usual worst share. */
import { deviationsAbove, type Usual } from "./attention-rates.ts";

/** By window: 5 minutes, 1 hour, 6 hours. */
export interface Spread {
  /** How many times the variance exceeds that of independent calls. */
  overdispersion: number[];
  /** The worst share of failed calls. */
  worst: number[];
}

/** The past week of a function. Its spread is computed when it is first needed. */
export class Past {
  readonly usual: Usual;
  private readonly learn: () => Spread;
  private learned: Spread | undefined;

  constructor(usual: Usual, learn: () => Spread) {
    this.usual = usual;
    this.learn = learn;
  }

  get spread(): Spread {
    return (this.learned ??= this.learn());
  }
}

/** In an hour this many deviations above the usual share, errors did not occur independently. */
const CLUMPED = 3;

/** As `spreadOf` over hours, with the worst shares of the second-worst day: shares that two days reached. */
export function secondWorstDay(
  calls: Float64Array,
  errors: Float64Array,
  first: number,
  end: number,
  share: number,
) {
  const days: ReturnType<typeof spreadOf>[] = [];
  for (let from = first; from < end; from = (Math.floor(from / 24) + 1) * 24) {
    days.push(spreadOf(calls, errors, from, Math.min(end, (Math.floor(from / 24) + 1) * 24), share));
  }
  const second = (values: number[]) => values.sort((a, b) => b - a)[1] ?? 0;
  return {
    worst: second(days.map((day) => day.worst)),
    worstOfSix: second(days.map((day) => day.worstOfSix)),
    worstWithin: second(days.map((day) => day.worstWithin)),
  };
}

/**
 * Compares the periods from `first` up to and without `end`, which are all hours or all five minutes long. Returns how much
 * their shares of errors vary, and the worst share: in one period, in six in a row, and within a period. For the last one,
 * all errors of an hour beyond chance are assumed to be from five of its minutes.
 *
 * @param calls @param errors by number of the period, modulo the length of the array
 * @param share the usual share
 */
export function spreadOf(
  calls: Float64Array,
  errors: Float64Array,
  first: number,
  end: number,
  share: number,
) {
  let [stretches, squares, worst, worstOfSix, worstWithin, sixCalls, sixErrors] = [0, 0, 0, 0, 0, 0, 0];
  for (let i = first; i < end; i++) {
    const n = calls[i % calls.length]!;
    const e = errors[i % calls.length]!;
    sixCalls += n;
    sixErrors += e;
    if (i - 6 >= first) {
      sixCalls -= calls[(i - 6) % calls.length]!;
      sixErrors -= errors[(i - 6) % calls.length]!;
    }
    if (sixCalls >= 5) worstOfSix = Math.max(worstOfSix, sixErrors / sixCalls);
    if (n === 0) continue;
    stretches++;
    squares += (e - n * share) ** 2 / (n * share * (1 - share));
    if (n < 5) continue;
    worst = Math.max(worst, e / n);
    worstWithin = Math.max(worstWithin, e / n);
    if (e > n * share && deviationsAbove(n, e, share, 1) > CLUMPED) {
      // Five minutes of an hour have a twelfth of its calls.
      worstWithin = Math.max(worstWithin, Math.min(1, share + (12 * (e - n * share)) / n));
    }
  }
  const overdispersion = Math.max(1, squares / Math.max(1, stretches));
  return { overdispersion, worst, worstOfSix, worstWithin };
}
