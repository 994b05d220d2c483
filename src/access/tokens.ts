/** Reads the secrets that hold tokens, and says which right the tokens of each secret have. */
import { readTokenList, type Token, type TokenList } from "./token-list.ts";

/** "ingest": post samples. "read": read metrics. "admin": delete series, and replay or drop dead letters. */
export type Right = "ingest" | "read" | "admin";

/** The secrets whose tokens have a right. Error messages ask to set the first. */
export const SECRETS = {
  ingest: ["INGEST_TOKENS"],
  read: ["READ_TOKENS", "ADMIN_TOKENS"],
  admin: ["ADMIN_TOKENS"],
} as const satisfies Record<Right, readonly (keyof Env)[]>;

const ALL = ["INGEST_TOKENS", "READ_TOKENS", "ADMIN_TOKENS"] as const;
type Secret = (typeof ALL)[number];
type Secrets = Pick<Env, Secret>;

/** All tokens that have a right, and the problems of the secrets that hold them. */
export function tokensWith(env: Secrets, right: Right): Pick<TokenList, "tokens" | "problems"> {
  const lists = SECRETS[right].map((secret) => tokensOf(env, secret));
  return {
    tokens: lists.flatMap(({ tokens }) => tokens),
    problems: lists.flatMap(({ problems }) => problems),
  };
}

/** The tokens of all rights. */
export function allTokens(env: Secrets): Token[] {
  return ALL.flatMap((secret) => tokensOf(env, secret).tokens);
}

/** A sentence for each ignored entry of all secrets. The sentences reveal nothing of the secrets. */
export function problemsOfTokens(env: Secrets): string[] {
  return ALL.flatMap((secret) => tokensOf(env, secret).problems);
}

/** Whether this is a local server without any token. A token of any right closes the whole server. */
export function isOpen(env: Secrets & Pick<Env, "OPEN_WITHOUT_TOKENS">): boolean {
  return env.OPEN_WITHOUT_TOKENS === "true" && !ALL.some((secret) => tokensOf(env, secret).isSet);
}

/** The parsed secrets. Cached, because every request needs them and only a deployment changes them. */
const parsed = new Map<Secret, { text: string | undefined; list: TokenList }>();

export function tokensOf(env: Secrets, secret: Secret): TokenList {
  const text = env[secret];
  const last = parsed.get(secret);
  if (last && last.text === text) return last.list;
  const list = readTokenList(secret, text, secret === "INGEST_TOKENS");
  parsed.set(secret, { text, list });
  return list;
}
