/** Who may do what: bearer tokens, kept as secrets. Nothing is open for want of a secret. */
import { ErrorResponse } from "../error.ts";

export type Right = "ingest" | "read" | "administer";

/** The secrets whose tokens have a right, the first of them being the one to set. */
const SECRETS = {
  ingest: ["INGEST_TOKENS"],
  read: ["READ_TOKENS", "ADMIN_TOKENS"],
  administer: ["ADMIN_TOKENS"],
} as const satisfies Record<Right, readonly (keyof Env)[]>;

export interface Grant {
  /** Names the token without telling it; null where none is asked for. */
  id: string | null;
  /** The one service that the token is bound to; null where it may speak for any. */
  service: string | null;
}

interface Token {
  value: string;
  service: string | null;
}

/**
 * @throws {ErrorResponse} 401 for a token that is missing or unknown, 503 where no token could ever do: a Worker
 *   without secrets is closed, and says which secret to set
 */
export async function authorise(env: Env, right: Right, given: string | undefined): Promise<Grant> {
  const tokens = SECRETS[right].flatMap((secret) => readTokens(env[secret]));
  if (tokens.length === 0) {
    if (env.OPEN_WITHOUT_TOKENS === "true") return { id: null, service: null };
    const secret = SECRETS[right][0];
    throw new ErrorResponse(
      503,
      "no_tokens",
      `Nobody may ${right} yet, because the secret ${secret} is not set. Set it with: npx wrangler secret put ${secret}`,
    );
  }
  const matching = await findToken(tokens, given ?? "");
  if (!matching) {
    const problem = given === undefined ? "is missing" : "is not known here";
    throw new ErrorResponse(
      401,
      "unauthorised",
      `The token ${problem}. Send the header Authorization: Bearer TOKEN, with a token that may ${right}.`,
      { "WWW-Authenticate": 'Bearer realm="MetricsCollector"' },
    );
  }
  return matching;
}

/** The token of `Authorization: Bearer …`. */
export function bearerToken(headers: Headers): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(headers.get("Authorization") ?? "")?.[1];
}

/** Looks at every token, and compares digests, which all have one length: time tells nothing. */
async function findToken(tokens: readonly Token[], given: string): Promise<Grant | undefined> {
  const digest = await sha256(given);
  let found: Grant | undefined;
  for (const { value, service } of tokens) {
    const known = await sha256(value);
    if (crypto.subtle.timingSafeEqual(digest, known)) found = { id: digest.toHex().slice(0, 16), service };
  }
  return found;
}

function readTokens(secret: string | undefined): Token[] {
  return (secret ?? "")
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "")
    .map((entry) => {
      // What follows the service is never made of "=" alone: that is how base64 ends.
      const bound = /^([^=]+)=(?!=*$)(.+)$/.exec(entry);
      return bound ? { service: bound[1]!.trim(), value: bound[2]! } : { service: null, value: entry };
    });
}

async function sha256(text: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}
