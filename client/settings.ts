/** Checks the options of a collector, and fills in the defaults. */
import { tidy } from "./failure.ts";
import { EXIT_MS, FLUSH_MS, MAX_TIMER_MS, SERVICE_LENGTH } from "./limits.ts";
import type { CollectorOptions } from "./options.ts";
import { platform } from "./platform.ts";

/** The numbers among the options: default, minimum and maximum. */
const NUMBERS = {
  // Infinity means never.
  intervalMs: [30_000, 1, Infinity],
  maxFunctions: [1_000, 1, Infinity],
  maxItems: [3_000, 1, Infinity],
  maxMemory: [30_000_000, 1, Infinity],
  timeoutMs: [FLUSH_MS, 1, MAX_TIMER_MS],
  exitTimeoutMs: [EXIT_MS, 0, MAX_TIMER_MS],
  retryMs: [1_000, 0, MAX_TIMER_MS],
} as const satisfies Partial<Record<keyof CollectorOptions, [number, number, number]>>;

export type Settings = Readonly<Record<keyof typeof NUMBERS, number>> & {
  /** Where batches are sent. */
  readonly endpoint: string;
  readonly service: string;
  /** May be a getter that throws. */
  readonly token: string | undefined;
};

/** @throws {TypeError} if an option is wrong, with a sentence that says what it must be */
export function readSettings(options: CollectorOptions): Settings {
  const settings = {
    endpoint: readEndpoint(options.url),
    service: tidy(options.service, SERVICE_LENGTH + 1),
    get token() {
      return options.token;
    },
  } as Settings;
  const { service } = settings;
  if (!service || service.length > SERVICE_LENGTH) {
    throw new TypeError(`service must be a text of 1 to ${SERVICE_LENGTH} characters.`);
  }
  for (const [name, [fallback, min, max]] of Object.entries(NUMBERS)) {
    const value = (options as unknown as Record<string, unknown>)[name] ?? fallback;
    if (typeof value !== "number" || !(value >= min && value <= max)) {
      throw new TypeError(
        `${name} must be a number from ${min} to ${max}; it is ${JSON.stringify(value) ?? typeof value}.`,
      );
    }
    Object.assign(settings, { [name]: value });
  }
  return settings;
}

/** Whether the option or the environment turns the collector off. */
export function isDisabled({ enabled }: CollectorOptions): boolean {
  return enabled === false || platform.process?.env?.["METRICS_COLLECTOR_DISABLED"] === "1";
}

/** An http(s) address without user, password, query and fragment. */
const BARE_ADDRESS = /^https?:\/\/[^/@]+\/[^?#]*$/;

/** Does not repeat the address, which may hold a password. */
function readEndpoint(given: unknown): string {
  const text = (given as URL | undefined)?.href ?? given;
  let url: URL | undefined;
  try {
    url = new URL(text as string, typeof text === "string" && text ? platform.location?.href : "");
  } catch {
    // Reported below.
  }
  if (!url || !BARE_ADDRESS.test(url.href)) {
    throw new TypeError(
      "url must be the http or https address of a MetricsCollector Worker, without a password, query or fragment.",
    );
  }
  return url.href.replace(/\/*$/, "/samples");
}
