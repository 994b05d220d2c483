/** Where an installation's Worker answers, and the token that this machine may read it with. */
import { type HealthAnswer, readHealth } from "./deploy/verify.ts";
import { Failure } from "./failure.ts";
import type { Cloud } from "./installed.ts";
import { currentToken } from "./tokens/token-entry.ts";

export interface Reader {
  url: string;
  /** Undefined where this machine knows none. */
  token: string | undefined;
}

export async function readerOf({ record, worker, names }: Cloud): Promise<Reader> {
  const { url, tokens } = await record.read();
  const token = currentToken(tokens, "read") ?? currentToken(tokens, "admin");
  return {
    url: url ?? `https://${names.worker}.${await worker.subdomain()}.workers.dev`,
    token: token?.value,
  };
}

/** @throws {Failure} if this machine knows no token that may administer */
export async function adminOf(cloud: Cloud): Promise<{ url: string; token: string }> {
  const { url } = await readerOf(cloud);
  const token = currentToken((await cloud.record.read()).tokens, "admin")?.value;
  if (token === undefined) {
    throw new Failure(
      "This machine knows no token that may administer. It is where the Worker was first deployed; " +
        "npx metrics-collector tokens add admin --replace makes one, and ends those that exist.",
    );
  }
  return { url, token };
}

/** @throws {Failure} if the Worker does not say how it is */
export async function askHealth(cloud: Cloud): Promise<HealthAnswer> {
  const { url, token } = await readerOf(cloud);
  return readHealth(url, token);
}
