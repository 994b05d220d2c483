/** Two other ways to tell that a function fails, to compare with: the page's levels of 2026-11, and rule C. */
import type { Minute } from "./functions.ts";

/** Says after each minute whether the function fails. */
export interface Watch {
  add: (minute: Minute) => boolean;
}

const KEPT = 8 * 1440;

/** Sums of calls and errors up to each of the last minutes. */
class Sums {
  minute = 0;
  private readonly calls = new Float64Array(KEPT);
  private readonly errors = new Float64Array(KEPT);

  add({ calls, errors }: Minute): void {
    const before = (this.minute + KEPT - 1) % KEPT;
    const at = this.minute++ % KEPT;
    this.calls[at] = this.calls[before]! + calls;
    this.errors[at] = this.errors[before]! + errors;
  }

  /** From so many minutes ago to so many minutes ago. */
  between(from: number, to: number): Minute {
    const at = (ago: number) => (this.minute - 1 - ago + KEPT) % KEPT;
    const [first, last] = [at(Math.min(from, this.minute - 1)), at(to)];
    return {
      calls: this.calls[last]! - this.calls[first]!,
      errors: this.errors[last]! - this.errors[first]!,
    };
  }
}

/** The page's levels, applied to five minutes against the day before them. */
export function pageLevels(): Watch {
  const sums = new Sums();
  return {
    add: (minute) => {
      sums.add(minute);
      const [now, before] = [sums.between(5, 0), sums.between(1445, 5)];
      if (now.errors < 3) return false;
      const share = now.errors / now.calls;
      if (share > 0.05) return true;
      if (before.calls === 0 || share < 0.01 || share < 2 * (before.errors / before.calls)) return false;
      const pooled = (now.errors + before.errors) / (now.calls + before.calls);
      const deviation = Math.sqrt(pooled * (1 - pooled) * (1 / now.calls + 1 / before.calls));
      return (share - before.errors / before.calls) / deviation >= 3;
    },
  };
}

/**
 * Rule C: over 5 minutes or 1 hour, at least 5 calls, 4 deviations above the function's own share with its
 * overdispersion, and above 1.5 times its own worst, for one minute. Own is 7 days until 1 hour ago, minute by minute.
 */
export function ruleC(): Watch {
  const sums = new Sums();
  const windows = [5, 60];
  let own: { p: number; spread: number[]; worst: number[] } | undefined;
  let wasOver = false;
  const learn = () => {
    const past = sums.between(7 * 1440 + 60, 60);
    const p = (past.errors + 0.5) / (past.calls + 1);
    const each = windows.map((length) => {
      let [squares, count, worst] = [0, 0, 0];
      for (let ago = 7 * 1440 + 60; ago - length >= 60; ago -= length) {
        const { calls, errors } = sums.between(ago, ago - length);
        if (calls === 0) continue;
        count++;
        squares += (errors - calls * p) ** 2 / (calls * p * (1 - p));
        if (calls >= 5) worst = Math.max(worst, errors / calls);
      }
      return { spread: Math.max(1, squares / Math.max(1, count)), worst };
    });
    own = { p, spread: each.map(({ spread }) => spread), worst: each.map(({ worst }) => worst) };
  };
  return {
    add: (minute) => {
      sums.add(minute);
      if (sums.minute >= 7 * 1440 + 61 && sums.minute % 60 === 0) learn();
      const isOver = windows.some((length, i) => {
        const { calls, errors } = sums.between(length, 0);
        if (!own || calls < 5 || errors === 0) return false;
        const { p, spread, worst } = own;
        const z = (errors - calls * p) / Math.sqrt(spread[i]! * calls * p * (1 - p));
        return z > 4 && errors / calls > 1.5 * worst[i]!;
      });
      const isFailing = isOver && wasOver;
      wasOver = isOver;
      return isFailing;
    },
  };
}
