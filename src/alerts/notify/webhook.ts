/**
 * A webhook as Standard Webhooks describes it: a JSON body and three headers, one of them a signature. The id is the same at
 * each attempt.
 *
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import type { Alert } from "../alert.ts";
import type { Secrets } from "../target.ts";
import type { Delivery, Message } from "./message.ts";
import { linkOf, titleOf } from "./text.ts";

/** `now` is epoch seconds: the time of this attempt. */
export async function buildWebhook(
  message: Message,
  { url, secret }: Secrets,
  now: number,
): Promise<Delivery> {
  const body = JSON.stringify({
    type: `alert.${{ firing: "firing", repeat: "firing", over: "resolved", test: "test" }[message.kind]}`,
    timestamp: isoOf(message.at),
    data: {
      title: titleOf(message),
      service: message.service,
      link: linkOf(message),
      firing: message.firing.map(alertData),
      resolved: message.over.map((alert) => ({ ...alertData(alert), endedAt: isoOf(message.at) })),
    },
  });
  return {
    url: url!,
    headers: {
      "Content-Type": "application/json",
      "webhook-id": message.id,
      "webhook-timestamp": String(now),
      ...(secret === undefined
        ? {}
        : { "webhook-signature": await signatureOf(message.id, now, body, secret) }),
    },
    body,
  };
}

/** `v1,` and the base64 of an HMAC-SHA256 over id, time and body. */
export async function signatureOf(
  id: string,
  timestamp: number,
  body: string,
  secret: string,
): Promise<string> {
  const bytes = Uint8Array.fromBase64(secret.slice("whsec_".length));
  const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const signed = await crypto.subtle.sign(
    "HMAC",
    key,
    new TextEncoder().encode(`${id}.${timestamp}.${body}`),
  );
  return `v1,${new Uint8Array(signed).toBase64()}`;
}

function alertData({
  id,
  rule,
  name,
  service,
  module,
  function: fn,
  severity,
  labels,
  sentence,
  value,
  runbook,
  state,
}: Alert) {
  return {
    id,
    rule,
    name,
    service,
    module,
    function: fn,
    severity,
    labels,
    sentence,
    value,
    runbook,
    activeAt: isoOf(state.activeAt),
    firedAt: isoOf(state.firedAt ?? state.activeAt),
  };
}

export function isoOf(epochSeconds: number): string {
  return `${new Date(epochSeconds * 1000).toISOString().slice(0, 19)}Z`;
}
