/** Tells from an error whether D1, the queue or the buffer refuses until something changes: its schema, or the day. */

/** D1's tables are older than this version needs. `missing` is what D1 says. */
interface OldSchema {
  cause: "schema";
  missing: string;
}

/** A limit of the Free plan is reached. `limit` completes the sentence "the Free plan's limit of …". */
interface ReachedLimit {
  cause: "limit";
  limit: string;
}

export type Refusal = OldSchema | ReachedLimit;

const OLD_SCHEMA = /no such (?:table|column): [\w.]+|table \w+ has no column named \w+/;

/** The platform's texts, the more special ones first. */
const LIMITS: readonly [RegExp, string][] = [
  [/rows written.*Durable Objects free tier/i, "100,000 rows written in Durable Objects a day"],
  [/rows read.*Durable Objects free tier/i, "5 million rows read in Durable Objects a day"],
  [/Durable Objects free tier/i, "Durable Objects a day"],
  [/free tier daily row write/i, "100,000 rows written to D1 a day"],
  [/free tier daily row read/i, "5 million rows read from D1 a day"],
  [/\(?\b10253\b\)?$/, "10,000 queue operations a day"],
];

/** Undefined for any other error, which may be over at the next attempt. */
export function refusalOf(error: unknown): Refusal | undefined {
  const texts = textsOf(error);
  for (const text of texts) {
    const missing = OLD_SCHEMA.exec(text)?.[0];
    if (missing !== undefined) return { cause: "schema", missing };
    const limit = LIMITS.find(([pattern]) => pattern.test(text.trim()))?.[1];
    if (limit !== undefined) return { cause: "limit", limit };
  }
  return undefined;
}

/** One or two sentences for a person: what it is, and what ends it. */
export function describeRefusal(refusal: Refusal): string {
  return refusal.cause === "schema"
    ? `D1 says "${refusal.missing}": its schema is older than this version needs, or it was emptied. ` +
        "Run: npx metrics-collector deploy (for a local server: npx wrangler d1 migrations apply DB --local)."
    : `It looks like the Free plan's limit of ${refusal.limit}, which everything in the account shares. ` +
        "It ends by itself at 00:00 UTC, or with the Paid plan.";
}

/** The messages of an error and of its causes. */
function textsOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)];
  return [error.message, ...(error.cause === undefined ? [] : textsOf(error.cause))];
}
