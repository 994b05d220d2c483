/** The sums of one request, by service. */
import { ErrorResponse } from "../../http/error-response.ts";
import { OVERFLOW } from "../../stats/overflow.ts";
import { normaliseName } from "../../stats/series-id.ts";
import type { DecodedPart } from "../decoder.ts";
import { ingestLimits } from "../limits.ts";
import { isName } from "../sample-text.ts";
import { otlpLimits } from "./limits.ts";
import { type BatchSource, SeriesSums } from "./series-sums.ts";
import type { AttributeValue } from "./wire/message.ts";

/** Cloudflare sends one span of this service to find out whether a destination answers. */
const PRE_FLIGHT = "cloudflare-workers-observability";
const CHECKED_EVERY = 1_024;

interface Unusable {
  reason: string;
}

export class ServiceSums {
  readonly #ignored: ReadonlySet<string>;
  /** By the name as the sender wrote it. */
  readonly #byRawName = new Map<AttributeValue | undefined, SeriesSums | Unusable>();
  readonly #byName = new Map<string, SeriesSums>();
  #lookups = 0;

  /** @param ignored services that are not counted */
  constructor(ignored: ReadonlySet<string>) {
    this.#ignored = ignored;
  }

  /** Whether nothing of this service counts, by design. */
  isIgnored(name: AttributeValue | undefined): boolean {
    return typeof name === "string" && (name === PRE_FLIGHT || this.#ignored.has(name));
  }

  /** @throws {ErrorResponse} 413 if the request has too many services, functions and minutes */
  of(rawName: AttributeValue | undefined): SeriesSums | Unusable {
    if (++this.#lookups % CHECKED_EVERY === 0) this.#requireRoom();
    const known = this.#byRawName.get(rawName);
    if (known) return known;
    const sums = this.#new(rawName);
    this.#byRawName.set(rawName, sums);
    return sums;
  }

  /** @throws {ErrorResponse} as `of` */
  all(): SeriesSums[] {
    this.#requireRoom();
    return [...this.#byName.values()];
  }

  /** The sums of each service that has any, as batches. */
  parts(source: BatchSource): DecodedPart[] {
    return this.all()
      .filter(({ size }) => size > 0)
      .map((sums) => ({ service: sums.service, sum: sums.batches(source) }));
  }

  #requireRoom(): void {
    let series = 0;
    for (const sums of this.#byName.values()) series += sums.size;
    if (series <= otlpLimits.seriesPerRequest && this.#byName.size <= otlpLimits.batchesPerRequest) return;
    throw tooLarge(
      `The request has more than ${otlpLimits.seriesPerRequest} functions and minutes, or more than ` +
        `${otlpLimits.batchesPerRequest} services.`,
    );
  }

  #new(rawName: AttributeValue | undefined): SeriesSums | Unusable {
    if (rawName === undefined || rawName === "") {
      return { reason: "The resource has no service.name. Set OTEL_SERVICE_NAME." };
    }
    // A copy. A part of a larger text would keep all of that in memory.
    const name = JSON.parse(JSON.stringify(normaliseName(String(rawName)))) as string;
    if (!isName(name, ingestLimits.serviceLength) || name === OVERFLOW) {
      return {
        reason:
          `A service.name has 1 to ${ingestLimits.serviceLength} characters, none of them a control character, and is ` +
          `not ${OVERFLOW}.`,
      };
    }
    const sums = this.#byName.get(name) ?? new SeriesSums(name);
    this.#byName.set(name, sums);
    return sums;
  }
}

export function tooLarge(problem: string): ErrorResponse {
  return new ErrorResponse(
    413,
    "batch_too_large",
    `${problem} Nothing was recorded. Split it over several requests.`,
  );
}
