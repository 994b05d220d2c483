/** What the past of a function says of its errors: how they vary, and the worst share that is usual for it. */
import { deviationsAbove, type Usual } from "./attention-rates.ts";

/** By window: 5 minutes, 1 hour, 6 hours. */
export interface Spread {
  /** How many times the variance exceeds that of independent calls. */
  overdispersion: number[];
  /** The worst share of failed calls. */
  worst: number[];
}

/** The past week, and what can be learned from it once it is needed. */
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

/** An hour this many deviations above the usual share had more errors than by chance. */
const CLUMPED = 3;

/** As `spreadOf`, the worst that was reached on two days. */
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
 * How much the share of errors varies from one stretch to the next, and its worst: in one stretch, in six, and within a
 * stretch. What an hour has beyond chance may all be from five of its minutes.
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
