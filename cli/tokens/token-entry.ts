/** Tokens as this machine keeps them, and the secrets of the Worker that they make up. */
import { createHash, randomBytes } from "node:crypto";

/** The Worker's secrets. Each holds a comma-separated list of tokens. */
export const SECRETS = { ingest: "INGEST_TOKENS", read: "READ_TOKENS", admin: "ADMIN_TOKENS" } as const;
export type Role = keyof typeof SECRETS;
export const ROLES = Object.keys(SECRETS) as Role[];

export const isRole = (text: string): text is Role => text in SECRETS;

export interface TokenEntry {
  role: Role;
  value: string;
  /** The only service that an ingest token may post for; any, if it is missing. */
  service?: string;
  /** ISO 8601. */
  createdAt: string;
  /** Set once a newer token took its place. It works until it is revoked. */
  rotatedAt?: string;
  /** True from when it is written down until it is known to be set. */
  isPending?: boolean;
}

const TOKEN_BYTES = 24;

/** 192 random bits, in letters that a header, a shell and a token list take as they are. */
export function newToken(role: Role, service?: string): TokenEntry {
  return {
    role,
    value: randomBytes(TOKEN_BYTES).toString("base64url"),
    ...(service === undefined ? {} : { service }),
    createdAt: new Date().toISOString(),
  };
}

/** Names a token without telling it: the Worker's own id of it, the start of its SHA-256. */
export function tokenId({ value }: TokenEntry): string {
  return createHash("sha256").update(value).digest("hex").slice(0, 16);
}

/** The text of a role's secret. */
export function secretText(tokens: readonly TokenEntry[], role: Role): string {
  return tokens
    .filter((token) => token.role === role)
    .map(({ service, value }) => (service === undefined ? value : `${service}=${value}`))
    .join(",");
}

/** Reads a secret's text, as an environment variable may give it for the first deployment. */
export function readSecretText(role: Role, text: string): TokenEntry[] {
  const entries = text.split(",").map((entry) => entry.trim());
  const createdAt = new Date().toISOString();
  return entries
    .filter((entry) => entry !== "")
    .map((entry) => {
      // A token that is base64 may end in "=", which does not bind it to a service.
      const [, service, value] = (role === "ingest" && /^([^=]+)=([^=].*)$/.exec(entry)) || [];
      return service === undefined || value === undefined
        ? { role, value: entry, createdAt }
        : { role, service, value, createdAt };
    });
}

/** The newest token of a role that is not rotated away and may act for any service. */
export function currentToken(tokens: readonly TokenEntry[], role: Role): TokenEntry | undefined {
  return tokens.findLast(
    (token) =>
      token.role === role && token.rotatedAt === undefined && token.service === undefined && !token.isPending,
  );
}
