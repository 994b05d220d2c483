/** Counts calls and errors by period (a minute, five minutes, an hour) in a ring, for as many periods as it has places. */

/**
 * A period has its number since the epoch, modulo the length of the ring, as its index. A place holds the counts of an earlier
 * period until it is set.
 */
export class Periods {
  readonly calls: Float64Array;
  readonly errors: Float64Array;

  constructor(length: number) {
    this.calls = new Float64Array(length);
    this.errors = new Float64Array(length);
  }

  /** An independent copy. */
  clone(): Periods {
    const copy = new Periods(this.calls.length);
    copy.calls.set(this.calls);
    copy.errors.set(this.errors);
    return copy;
  }

  callsAt(period: number): number {
    return this.calls[period % this.calls.length]!;
  }

  errorsAt(period: number): number {
    return this.errors[period % this.errors.length]!;
  }

  set(period: number, calls: number, errors: number): void {
    this.calls[period % this.calls.length] = calls;
    this.errors[period % this.errors.length] = errors;
  }

  add(period: number, calls: number, errors: number): void {
    this.calls[period % this.calls.length]! += calls;
    this.errors[period % this.errors.length]! += errors;
  }
}
