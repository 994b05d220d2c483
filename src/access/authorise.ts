/** Finds out what a bearer token permits. A deployed Worker without tokens permits nothing. */
import { ErrorResponse } from "../http/error-response.ts";
import { log } from "../log.ts";
import type { Token } from "./token-list.ts";
import { allTokens, isOpen, type Right, SECRETS, tokensOf, tokensWith } from "./tokens.ts";

export interface Grant {
  /** Identifies the token without revealing it. Null if the server is open without tokens. */
  id: string | null;
  /** The services that the token may post for. Null if it may post for any. */
  services: ReadonlySet<string> | null;
}

/**
 * @param given undefined if the request has no token
 * @throws {ErrorResponse} 401 for a missing or unknown token, 403 for a token without the right, 503 if no token has the
 *   right; the message then names the secret to set
 */
export async function authorise(env: Env, right: Right, given: string | undefined): Promise<Grant> {
  const { tokens, problems } = tokensWith(env, right);
  for (const problem of problems) logOnce(problem);
  if (tokens.length === 0) {
    if (isOpen(env)) return { id: null, services: null };
    throw noTokens(env, right);
  }
  const grant = await findGrant(tokens, given ?? "");
  if (grant) return grant;
  const isKnown = given !== undefined && (await findGrant(allTokens(env), given)) !== undefined;
  throw isKnown ? forbidden(right) : unauthorised(right, given);
}

/**
 * The token of the header `Authorization: Bearer …`, or undefined if there is none. The space may be `%20`: that is how
 * `OTEL_EXPORTER_OTLP_HEADERS` spells it, and some senders do not decode it.
 */
export function bearerToken(headers: Headers): string | undefined {
  return /^Bearer(?: |%20)+(\S+)$/i.exec(headers.get("Authorization") ?? "")?.[1];
}

function noTokens(env: Env, right: Right): ErrorResponse {
  const secret = SECRETS[right][0];
  const { problems } = tokensOf(env, secret);
  const why = problems.length === 0 ? "is not set" : "has no usable token";
  return new ErrorResponse(
    503,
    "no_tokens",
    [
      `No token has the right "${right}", because the secret ${secret} ${why}.`,
      ...problems,
      `Set it with: npx wrangler secret put ${secret}`,
    ].join(" "),
  );
}

function unauthorised(right: Right, given: string | undefined): ErrorResponse {
  const problem = given === undefined ? "The token is missing." : "The token is unknown.";
  return new ErrorResponse(
    401,
    "unauthorised",
    `${problem} Send the header Authorization: Bearer TOKEN with a token of ${SECRETS[right].join(" or ")}.`,
    { "WWW-Authenticate": 'Bearer realm="MetricsCollector"' },
  );
}

const MAY_NOT: Record<Right, string> = {
  ingest: "post samples",
  read: "read",
  admin: "change or delete anything",
};

function forbidden(right: Right): ErrorResponse {
  return new ErrorResponse(
    403,
    "forbidden",
    `This token may not ${MAY_NOT[right]}. Use a token of ${SECRETS[right].join(" or ")}.`,
    { "WWW-Authenticate": 'Bearer realm="MetricsCollector", error="insufficient_scope"' },
  );
}

/** Compares with every token, by digests of equal length, so that the time that it takes reveals nothing about the tokens. */
async function findGrant(tokens: readonly Token[], given: string): Promise<Grant | undefined> {
  const digest = await sha256(given);
  let found: Grant | undefined;
  for (const { value, services } of tokens) {
    const known = await sha256(value);
    if (crypto.subtle.timingSafeEqual(digest, known)) found = { id: digest.toHex().slice(0, 16), services };
  }
  return found;
}

const logged = new Set<string>();

/** Logs a problem once per isolate. */
function logOnce(problem: string): void {
  if (logged.has(problem)) return;
  logged.add(problem);
  log("token_dropped", { problem });
}

async function sha256(text: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}
