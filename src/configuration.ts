/** Reads the settings under `[vars]` in wrangler.toml and checks them at every read. An invalid setting fails the request. */
import { ConfigurationError } from "./errors.ts";

export interface Configuration {
  /** The buffer flushes once it holds this many samples. */
  maxItems: number;
  /** The buffer flushes at the latest this many milliseconds after the first unflushed sample. */
  maxWaitingMs: number;
}

/** @throws {ConfigurationError} */
export function readConfiguration(env: Pick<Env, "MAX_ITEMS" | "MAX_WAITING_TIME">): Configuration {
  return {
    maxItems: wholeNumber("MAX_ITEMS", env.MAX_ITEMS, 1, 1_000_000),
    maxWaitingMs: wholeNumber("MAX_WAITING_TIME", env.MAX_WAITING_TIME, 1, 86_400) * 1000,
  };
}

const DAY_MS = 86_400_000;
const DEFAULT_FORGET_AFTER_DAYS = "30";

/**
 * Functions without a call for this many milliseconds are left out of lists and scrapes, and do not count toward the caps
 * on functions. Their history stays.
 *
 * @throws {ConfigurationError}
 */
export function readForgetAfterMs(env: Partial<Pick<Env, "FORGET_AFTER_DAYS">>): number {
  const days = env.FORGET_AFTER_DAYS ?? DEFAULT_FORGET_AFTER_DAYS;
  return wholeNumber("FORGET_AFTER_DAYS", days, 1, 36_500) * DAY_MS;
}

const HOUR_MS = 3_600_000;
const DEFAULT_KEEP_FLUSHES_HOURS = "24";

/**
 * For how many milliseconds the buffer keeps flushes that D1 has confirmed. 0 if it keeps none.
 *
 * @throws {ConfigurationError}
 */
export function readKeepFlushesMs(env: Partial<Pick<Env, "KEEP_FLUSHES_HOURS">>): number {
  const hours = env.KEEP_FLUSHES_HOURS ?? DEFAULT_KEEP_FLUSHES_HOURS;
  return wholeNumber("KEEP_FLUSHES_HOURS", hours, 0, 720) * HOUR_MS;
}

function wholeNumber(setting: string, value: unknown, min: number, max: number): number {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof number === "number" && Number.isInteger(number) && number >= min && number <= max) return number;
  const given = value === undefined ? "not set" : JSON.stringify(value);
  throw new ConfigurationError(
    `${setting} must be a whole number from ${min} to ${max}. It is ${given}. ` +
      "Set it under [vars] in wrangler.toml, or in .dev.vars for local use.",
  );
}
