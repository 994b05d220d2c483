/** How requests to Cloudflare are authorised: by an API token of the environment, or by wrangler's login. */
import { EXIT } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import { runWrangler } from "../wrangler.ts";
import { TOKEN_PERMISSIONS } from "./cloudflare-error.ts";

export const NOT_LOGGED_IN = `Nobody is logged in to Cloudflare. Run "npx wrangler login", or set CLOUDFLARE_API_TOKEN to a token with ${TOKEN_PERMISSIONS}: https://dash.cloudflare.com/profile/api-tokens`;

/** @throws {Failure} "notAllowed" where nobody is logged in */
export async function readCredentials(): Promise<Record<string, string>> {
  const { CLOUDFLARE_API_TOKEN: token, CLOUDFLARE_API_KEY: key, CLOUDFLARE_EMAIL: email } = process.env;
  if (token) return { Authorization: `Bearer ${token}` };
  if (key && email) return { "X-Auth-Key": key, "X-Auth-Email": email };
  // Wrangler refreshes a login that has expired before it prints its token.
  const { code, stdout } = await runWrangler(["auth", "token", "--json"]);
  const found = code === 0 ? readToken(stdout) : undefined;
  if (found === undefined) throw new Failure(NOT_LOGGED_IN, EXIT.notAllowed);
  return { Authorization: `Bearer ${found}` };
}

function readToken(stdout: string): string | undefined {
  try {
    const { token } = JSON.parse(stdout.slice(stdout.indexOf("{"))) as { token?: string };
    return token;
  } catch {
    return undefined;
  }
}
