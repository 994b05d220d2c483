/** Reads a secret that holds tokens: a comma-separated list of `TOKEN` and `service=TOKEN`. */
import { normaliseName } from "../stats/series-id.ts";

export interface Token {
  value: string;
  /** The services that it may post for; null where it may speak for any. */
  services: ReadonlySet<string> | null;
}

export interface TokenList {
  /** Each token once. */
  tokens: Token[];
  /** Why entries were dropped: sentences with their places, since what they hold may be a part of a secret. */
  problems: string[];
  /** Whether there is any entry, be it a dropped one. */
  isSet: boolean;
}

/** Of base64 with padding, in bytes. What is shorter may as well be a service and an empty token. */
const LEAST_RANDOM_BYTES = 16;

/** WARNING: what is not surely a token must open nothing. A secret made by `"shop=$TOKEN"` may lack its token. */
export function readTokenList(name: string, secret: string | undefined, mayBind: boolean): TokenList {
  const services = new Map<string, Set<string> | null>();
  const problems: string[] = [];
  let isSet = false;
  for (const [i, text] of (secret ?? "").split(",").entries()) {
    const entry = text.trim();
    if (entry === "") continue;
    isSet = true;
    const { service, value, problem } = readEntry(entry);
    if (problem !== undefined || (service !== null && !mayBind)) {
      problems.push(
        `Entry ${i + 1} of ${name} ${problem ?? "binds its token to a service, which only INGEST_TOKENS can"}.`,
      );
      continue;
    }
    const known = services.get(value);
    if (service === null || known === null) services.set(value, null);
    else services.set(value, (known ?? new Set()).add(service));
  }
  return { tokens: Array.from(services, ([value, of]) => ({ value, services: of })), problems, isSet };
}

interface Entry {
  service: string | null;
  value: string;
  problem?: string;
}

function readEntry(entry: string): Entry {
  const at = entry.indexOf("=");
  const isFree = at < 0 || isRandomBase64(entry);
  const service = isFree ? null : normaliseName(entry.slice(0, at));
  const value = isFree ? entry : entry.slice(at + 1).trim();
  const problem =
    service === ""
      ? "has no service before its ="
      : value === "" || value.startsWith("=")
        ? "names a service and no token of it"
        : /\s/.test(value)
          ? "has a space in its token"
          : undefined;
  return { service, value, ...(problem === undefined ? {} : { problem }) };
}

/** Whether it is base64 with its padding, of bytes so many and so random that it is no name with an empty token. */
function isRandomBase64(entry: string): boolean {
  if (!/[a-z]/.test(entry) || !/[A-Z]/.test(entry)) return false;
  try {
    const alphabet = /[-_]/.test(entry) ? "base64url" : "base64";
    const bytes = Uint8Array.fromBase64(entry, { alphabet, lastChunkHandling: "strict" });
    return bytes.byteLength >= LEAST_RANDOM_BYTES;
  } catch {
    return false;
  }
}
