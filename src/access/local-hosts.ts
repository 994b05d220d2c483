/** Restricts a server that is open without tokens to requests for its own machine, such as for localhost. */
import type { MiddlewareHandler } from "hono";
import { ErrorResponse } from "../http/error-response.ts";
import { isOpen } from "./tokens.ts";

/** Longest part of a host that a message quotes, in UTF-16 code units. */
const SHOWN_LENGTH = 100;

/**
 * Without this, a web page could point its own host name at 127.0.0.1 (DNS rebinding). The browser would then treat the open
 * server as the same origin as the page, and the page could read and delete. Servers with tokens need no such check, because
 * the page has no token.
 */
export const localHosts: MiddlewareHandler<{ Bindings: Env }> = async (c, next) => {
  if (isOpen(c.env)) {
    // Check both, because a proxy may change one of them.
    for (const host of [c.req.header("Host"), new URL(c.req.url).host]) {
      if (host !== undefined && !isAllowed(c.env, host)) throw notAllowed(host);
    }
  }
  await next();
};

function isAllowed({ ALLOWED_HOSTS = "" }: Partial<Pick<Env, "ALLOWED_HOSTS">>, host: string): boolean {
  const name = nameOf(host);
  if (name === undefined) return false;
  const isLoopback =
    name === "localhost" || name.endsWith(".localhost") || /^127(\.\d+){3}$/.test(name) || name === "[::1]";
  return isLoopback || ALLOWED_HOSTS.split(",").some((entry) => nameOf(entry.trim()) === name);
}

/** The name without the port, normalised as in URLs. Undefined if it is not a valid name. */
function nameOf(host: string): string | undefined {
  const url = URL.parse(`http://${host}`);
  return url === null || url.hostname === "" ? undefined : url.hostname.replace(/\.$/, "");
}

function notAllowed(host: string): ErrorResponse {
  return new ErrorResponse(
    403,
    "host_not_allowed",
    `This server is open without tokens. It therefore answers under localhost and 127.0.0.1 only, and not under ` +
      `${JSON.stringify(host.slice(0, SHOWN_LENGTH))}. Add the host to ALLOWED_HOSTS under [vars] in wrangler.toml or in ` +
      ".dev.vars, or set tokens.",
  );
}
