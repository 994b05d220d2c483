/** Who may do what: bearer tokens, kept as secrets. Nothing is open for want of a secret. */
import { ErrorResponse } from "../http/error-response.ts";
import { log } from "../log.ts";
import { readTokenList, type Token, type TokenList } from "./token-list.ts";

export type Right = "ingest" | "read" | "admin";

/** The secrets whose tokens have a right, the first of them being the one to set. */
const SECRETS = {
  ingest: ["INGEST_TOKENS"],
  read: ["READ_TOKENS", "ADMIN_TOKENS"],
  admin: ["ADMIN_TOKENS"],
} as const satisfies Record<Right, readonly (keyof Env)[]>;

const ALL = ["INGEST_TOKENS", "READ_TOKENS", "ADMIN_TOKENS"] as const;
type Secrets = Pick<Env, (typeof ALL)[number]>;

export interface Grant {
  /** Names the token without telling it; null where none is asked for. */
  id: string | null;
  /** The services that it may post for; null where it may speak for any. */
  services: ReadonlySet<string> | null;
}

/**
 * @throws {ErrorResponse} 401 for a token that is missing or unknown, 503 where no token could ever do: a Worker
 *   without secrets is closed, and says which secret to set
 */
export async function authorise(env: Env, right: Right, given: string | undefined): Promise<Grant> {
  const lists = SECRETS[right].map((secret) => listOf(env, secret));
  for (const problem of lists.flatMap(({ problems }) => problems)) tellOnce(problem);
  const tokens = lists.flatMap((list) => list.tokens);
  if (tokens.length === 0) {
    if (isOpen(env)) return { id: null, services: null };
    const secret = SECRETS[right][0];
    const why = listOf(env, secret).problems.join(" ");
    throw new ErrorResponse(
      503,
      "no_tokens",
      why === ""
        ? `Nobody may ${right} yet, because the secret ${secret} is not set. Set it with: npx wrangler secret put ${secret}`
        : `Nobody may ${right} yet, because the secret ${secret} holds no token. ${why} Set it again with: npx wrangler secret put ${secret}`,
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

/** What is wrong with the secrets, as sentences that tell nothing of them. */
export function problemsOfTokens(env: Secrets): string[] {
  return ALL.flatMap((secret) => listOf(env, secret).problems);
}

/** The token of `Authorization: Bearer …`. */
export function bearerToken(headers: Headers): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(headers.get("Authorization") ?? "")?.[1];
}

/** Looks at every token, and compares digests, which all have one length: time tells nothing. */
async function findToken(tokens: readonly Token[], given: string): Promise<Grant | undefined> {
  const digest = await sha256(given);
  let found: Grant | undefined;
  for (const { value, services } of tokens) {
    const known = await sha256(value);
    if (crypto.subtle.timingSafeEqual(digest, known)) found = { id: digest.toHex().slice(0, 16), services };
  }
  return found;
}

/** The lists as they were last read. They change with a deployment, and are asked for with every request. */
const lastRead = new Map<keyof Secrets, { text: string | undefined; list: TokenList }>();

function listOf(env: Secrets, secret: keyof Secrets): TokenList {
  const text = env[secret];
  const last = lastRead.get(secret);
  if (last && last.text === text) return last.list;
  const list = readTokenList(secret, text, secret === "INGEST_TOKENS");
  lastRead.set(secret, { text, list });
  return list;
}

/** A local server that has no tokens at all. Any of them closes all of it: who sets one expects that. */
function isOpen(env: Secrets & Pick<Env, "OPEN_WITHOUT_TOKENS">): boolean {
  return env.OPEN_WITHOUT_TOKENS === "true" && !ALL.some((secret) => listOf(env, secret).isSet);
}

/** In the log of each isolate once, and not at every request. */
const told = new Set<string>();

function tellOnce(problem: string): void {
  if (told.has(problem)) return;
  told.add(problem);
  log("token_dropped", { problem });
}

async function sha256(text: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}
