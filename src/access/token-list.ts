/** Parses a secret that holds tokens: entries `TOKEN` and `service=TOKEN`, separated by commas. */
import { normaliseName } from "../stats/series-id.ts";

export interface Token {
  value: string;
  /** The services that the token may post for. Null if it may post for any. */
  services: ReadonlySet<string> | null;
}

export interface TokenList {
  /** Each token once. A token in several entries may post for the services of all of them. */
  tokens: Token[];
  /** A sentence for each ignored entry. It gives the entry's position and not its text, which may be part of a secret. */
  problems: string[];
  /** Whether the secret has any entry, even an ignored one. */
  isSet: boolean;
}

/** Minimum length, in bytes, of a base64 token that ends in `=`. Anything shorter could also be `service=` without a token. */
const MIN_RANDOM_BYTES = 16;

/**
 * WARNING: ignore an entry unless it is certainly a token. A secret made with `"shop=$TOKEN"` can lack its token, and
 * "shop=" must not become one.
 *
 * @param name of the secret, for the problems
 * @param mayBind whether entries may bind a token to a service
 */
export function readTokenList(name: string, secret: string | undefined, mayBind: boolean): TokenList {
  const services = new Map<string, Set<string> | null>();
  const problems: string[] = [];
  let isSet = false;
  for (const [i, text] of (secret ?? "").split(",").entries()) {
    const entry = text.trim();
    if (entry === "") continue;
    isSet = true;
    const { service, value } = splitEntry(entry);
    const problem = problemWith(service, value, mayBind);
    if (problem !== undefined) {
      problems.push(`Entry ${i + 1} of ${name} ${problem}. It is ignored.`);
      continue;
    }
    const known = services.get(value);
    if (service === null || known === null) services.set(value, null);
    else services.set(value, (known ?? new Set()).add(service));
  }
  return { tokens: Array.from(services, ([value, of]) => ({ value, services: of })), problems, isSet };
}

/** The service is null if the entry is a token alone. */
function splitEntry(entry: string): { service: string | null; value: string } {
  const at = entry.indexOf("=");
  if (at < 0 || isRandomBase64(entry)) return { service: null, value: entry };
  return { service: normaliseName(entry.slice(0, at)), value: entry.slice(at + 1).trim() };
}

function problemWith(service: string | null, value: string, mayBind: boolean): string | undefined {
  if (service === "") return "has no service before the =";
  if (value === "" || value.startsWith("=")) return "has a service but no token";
  if (/\s/.test(value)) return "has a space in its token";
  if (service !== null && !mayBind) return "binds its token to a service, which only INGEST_TOKENS may do";
  return undefined;
}

/** Whether an entry is padded base64 that is too long and too random to be a service's name followed by `=`. */
function isRandomBase64(entry: string): boolean {
  if (!/[a-z]/.test(entry) || !/[A-Z]/.test(entry)) return false;
  try {
    const alphabet = /[-_]/.test(entry) ? "base64url" : "base64";
    const bytes = Uint8Array.fromBase64(entry, { alphabet, lastChunkHandling: "strict" });
    return bytes.byteLength >= MIN_RANDOM_BYTES;
  } catch {
    return false;
  }
}
