/** Counts what a request's spans or data points became, beside those that count: for the answer and the log. */
import { otlpLimits } from "./limits.ts";

export class Tally {
  /** Not counted by design, which senders need not know: spans of clients, our own spans, gauges. */
  dropped = 0;
  #rejected = 0;
  readonly #warnings = new Set<string>();
  readonly #reasons = new Map<string, number>();

  /** @param reason a sentence that tells a person what is wrong. Equal sentences are told once. */
  reject(reason: string, items = 1): void {
    if (items === 0) return;
    this.#rejected += items;
    const isRoom = this.#reasons.size < otlpLimits.reasonsPerAnswer || this.#reasons.has(reason);
    const key = isRoom ? reason : "Others have other faults.";
    this.#reasons.set(key, (this.#reasons.get(key) ?? 0) + items);
  }

  /** @param warning a sentence about spans or data points that were taken */
  warn(warning: string): void {
    if (this.#warnings.size < otlpLimits.reasonsPerAnswer) this.#warnings.add(warning);
  }

  get rejected(): number {
    return this.#rejected;
  }

  /** For example: "No service.name in the resource. (3) Ended more than 48 hours ago. (1)" */
  get message(): string {
    const reasons = Array.from(this.#reasons, ([reason, items]) => `${reason} (${items})`);
    return [...reasons, ...this.#warnings].join(" ");
  }
}
