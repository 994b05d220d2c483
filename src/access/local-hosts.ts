/** Lets a server that is open without tokens answer under the names of its own machine only. */
import type { MiddlewareHandler } from "hono";
import { ErrorResponse } from "../http/error-response.ts";
import { isOpen } from "./tokens.ts";

/** Longest part of a host that a message quotes, in UTF-16 code units. */
const SHOWN_LENGTH = 100;

/**
 * Without this, a web page could point its own name at 127.0.0.1 (DNS rebinding). The browser would then take the open
 * server for a part of that page, and the page could read and delete. Servers with tokens need no such check, because the
 * page has no token.
 */
export const localHosts: MiddlewareHandler<{ Bindings: Env }> = async (c, next) => {
  if (isOpen(c.env)) {
    // Proxies may change one of the two.
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

/** The name without the port, in the form that URLs have. Undefined if it is no name. */
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
