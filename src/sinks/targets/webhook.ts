/**
 * A web address that gets the changed rows as JSON, signed as Standard Webhooks describes it.
 *
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import * as z from "zod";
import { type Deletion, judgeStatus, type OutgoingRequest, type Row, type Sink } from "../sink.ts";

const WebhookConfiguration = z.strictObject({
  type: z.literal("webhook"),
  url: z.url({ error: "an address such as https://example.com/rows" }).max(2_000),
  secret: z
    .string()
    .regex(/^whsec_[A-Za-z0-9+/]{32,86}={0,2}$/, { error: "whsec_ and the base64 of 24 to 64 random bytes" })
    .optional()
    .meta({ description: "Signs each request. Without it, requests are not signed." }),
});
type WebhookConfiguration = z.infer<typeof WebhookConfiguration>;

export const webhook: Sink<WebhookConfiguration> = {
  name: "webhook",
  configuration: WebhookConfiguration,
  secrets: ["secret"],
  addressOf: ({ url }) => url,
  encode: (rows, configuration) => signed({ type: "metrics.rows", rows: rows.map(toJson) }, configuration),
  encodeDeletion: async ({ selector, time, below }, configuration) => [
    await signed({ type: "metrics.deletion", ...selector, ...time, belowVersion: below }, configuration),
  ],
  judge: judgeStatus,
};

function toJson({ sumUs, histogram, ...row }: Row) {
  return { ...row, sumMs: sumUs / 1000, histogram: JSON.parse(histogram) as Record<string, number> };
}

/** The id is the same whenever the same content is sent again. */
async function signed(
  content: Deletion | object,
  { url, secret }: WebhookConfiguration,
): Promise<OutgoingRequest> {
  const body = JSON.stringify(content);
  const bytes = new TextEncoder().encode(body);
  const id = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex().slice(0, 32);
  const timestamp = String(Math.floor(Date.now() / 1000));
  return {
    url,
    headers: {
      "Content-Type": "application/json",
      "webhook-id": id,
      "webhook-timestamp": timestamp,
      ...(secret === undefined
        ? {}
        : { "webhook-signature": await sign(`${id}.${timestamp}.${body}`, secret) }),
    },
    body,
  };
}

async function sign(text: string, secret: string): Promise<string> {
  const bytes = Uint8Array.fromBase64(secret.slice("whsec_".length));
  const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const signature = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(text));
  return `v1,${new Uint8Array(signature).toBase64()}`;
}
