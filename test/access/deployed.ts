/** Requests to a Worker that has tokens, as after a deployment. */
import { createExecutionContext } from "cloudflare:test";
import { app } from "../../src/app.ts";
import { envWith } from "../faults.ts";

export const secrets = {
  INGEST_TOKENS: "writer-one, writer-two ,shop=shop-writer,q83vEjRWeJCrze8SNFZ4kA==",
  READ_TOKENS: "reader",
  ADMIN_TOKENS: "admin",
};

export const deployed = (more: Partial<Env> = secrets) =>
  envWith({ OPEN_WITHOUT_TOKENS: undefined as never, ...more });

interface Sent {
  method?: string;
  token?: string;
  body?: string;
  headers?: Record<string, string>;
}

export async function send(env: Env, path: string, { method = "GET", token, body, headers }: Sent = {}) {
  const request = new Request(`https://metrics.example${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  });
  return app.fetch(request, env, createExecutionContext());
}

export const batch = (service = "shop", more: object = {}) =>
  JSON.stringify({ service, samples: [{ function: "work", durationMs: 1 }], ...more });

export const postAs = (
  env: Env,
  token: string | undefined,
  body = batch(),
  headers: Record<string, string> = {},
) => send(env, "/samples", { method: "POST", body, headers, ...(token === undefined ? {} : { token }) });

export async function codeOf(response: Response): Promise<string> {
  return (await response.json<{ error: { code: string } }>()).error.code;
}
