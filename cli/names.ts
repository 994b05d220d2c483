/** The names of everything that one installation owns in an account. */
import { EXIT } from "./exit-codes.ts";
import { Failure } from "./failure.ts";

export const DEFAULT_NAME = "metrics-collector";

export interface Names {
  worker: string;
  database: string;
  flushes: string;
  deadLetters: string;
}

/** Queue names have at most 63 characters, and "-dead-letters" takes 13 of them. */
const MAX_LENGTH = 50;

/** @throws {Failure} "usage" if Cloudflare would refuse one of the names */
export function namesFor(name: string = DEFAULT_NAME): Names {
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) || name.length > MAX_LENGTH) {
    throw new Failure(
      `--name ${JSON.stringify(name)} cannot be used. A name has 1 to ${MAX_LENGTH} lowercase letters, digits and single dashes, ` +
        "and neither begins nor ends with a dash.",
      EXIT.usage,
    );
  }
  // WARNING: the Worker tells its two queues apart by the ending "-dead-letters".
  return {
    worker: name,
    database: name,
    flushes: `${name}-flushes`,
    deadLetters: `${name}-dead-letters`,
  };
}
