/** Sums and averages of floats and of histograms, kept exact by compensation. */
import { type Annotations, MESSAGES } from "../annotations.ts";
import { HistogramSum, divide } from "../histogram/arithmetic.ts";
import type { Histogram } from "../histogram/histogram.ts";
import { CompensatedSum, isInfinite } from "../numbers.ts";
import type { Span } from "../position.ts";

/**
 * The average: the sum by the count, as long as the sum is finite. From where it overflows on, a running mean, which
 * loses more precision.
 */
export class Mean {
  private readonly state = new CompensatedSum();
  private count = 0;
  private isRunning = false;

  add(value: number): void {
    this.count++;
    const { state, count } = this;
    if (!this.isRunning) {
      const { sum, compensation } = state;
      state.add(value);
      if (count === 1 || !isInfinite(state.sum)) return;
      this.isRunning = true;
      state.sum = sum / (count - 1);
      state.compensation = compensation / (count - 1);
    }
    const share = (count - 1) / count;
    state.sum *= share;
    state.compensation *= share;
    state.add(value / count);
  }

  get value(): number {
    const { sum, compensation } = this.state;
    return this.isRunning ? sum + compensation : sum / this.count + compensation / this.count;
  }
}

/** Adds up or averages histograms. Says what was wrong with them. */
export class HistogramTotal {
  private sum: HistogramSum | undefined;
  private count = 0;
  private isRunning = false;
  private sawReset = false;
  private sawNoReset = false;
  private reconciled = false;
  /** True once histograms with exponential and with custom buckets met. Then there is no result. */
  isMixed = false;
  private readonly average: boolean;

  constructor(average: boolean) {
    this.average = average;
  }

  add(histogram: Histogram): void {
    if (this.isMixed) return;
    if (histogram.resetHint === "reset") this.sawReset = true;
    if (histogram.resetHint === "not_reset") this.sawNoReset = true;
    this.count++;
    if (!this.sum) {
      this.sum = new HistogramSum(histogram);
      return;
    }
    if (this.average && !this.isRunning) {
      const before = this.sum.copy();
      if (this.put(histogram) && this.sum.overflows) {
        this.isRunning = true;
        this.sum = before;
        this.sum.scale(1 / (this.count - 1));
      } else return;
    }
    if (this.isRunning) {
      this.sum.scale((this.count - 1) / this.count);
      this.put(divide(histogram, this.count));
    } else this.put(histogram);
  }

  private put(histogram: Histogram): boolean {
    const outcome = this.sum!.add(histogram);
    if (outcome?.boundsReconciled) this.reconciled = true;
    if (!outcome) this.isMixed = true;
    return outcome !== undefined;
  }

  get value(): Histogram | undefined {
    if (!this.sum || this.isMixed) return undefined;
    if (!this.average || this.isRunning) return this.sum.total();
    return divide(this.sum.total(), this.count);
  }

  annotate(annotations: Annotations, span: Span, metricName: string): void {
    if (this.isMixed) annotations.warn(MESSAGES.mixedBuckets(metricName), span);
    if (this.reconciled) annotations.inform(MESSAGES.boundsReconciled("aggregation"), span);
    if (this.sawReset && this.sawNoReset) annotations.warn(MESSAGES.resetCollision("aggregation"), span);
  }
}
