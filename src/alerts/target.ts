/** Where notifications go: the JSON form of a target. What is secret of it is given once and never returned. */
import * as z from "zod";
import { Selector, SEVERITIES, Severity } from "./rule.ts";

const TIME_OF_DAY = "a time of day such as 22:00";
const time = z.string({ error: TIME_OF_DAY }).regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: TIME_OF_DAY });

export const QuietHours = z.strictObject({
  from: time,
  to: time,
  timeZone: z
    .string()
    .refine(isTimeZone, { error: "the name of a time zone such as Europe/Berlin" })
    .default("UTC"),
  except: z
    .array(Severity)
    .default(["page"])
    .meta({ description: "Severities that are told in quiet hours all the same." }),
});
export type QuietHours = z.infer<typeof QuietHours>;

const common = {
  enabled: z.boolean().default(true),
  severities: z
    .array(Severity)
    .min(1)
    .default([...SEVERITIES]),
  selector: Selector.default({}),
  quietHours: QuietHours.optional(),
  repeat: z
    .string()
    .regex(/^\d{1,4}[mhd]$/, { error: "a duration such as 4h" })
    .optional()
    .meta({ description: "Tells again while an alert fires and nobody has acknowledged it." }),
};

const url = z.url({ error: "an address such as https://example.com/alerts" }).max(2_000);
/** Left out when a target is changed: then it stays as it is. */
const secretUrl = url.optional();

export const Target = z.discriminatedUnion("type", [
  z.strictObject({
    ...common,
    type: z.literal("webhook"),
    url: secretUrl,
    secret: z
      .string()
      .refine(isWebhookSecret, { error: "whsec_ and base64 of 24 to 64 random bytes" })
      .optional()
      .meta({ description: "Signs the requests as Standard Webhooks does. Made for you if left out." }),
  }),
  z.strictObject({ ...common, type: z.literal("slack"), url: secretUrl }),
  z.strictObject({ ...common, type: z.literal("teams"), url: secretUrl }),
  z.strictObject({ ...common, type: z.literal("discord"), url: secretUrl }),
  z.strictObject({
    ...common,
    type: z.literal("pagerduty"),
    routingKey: z.string().min(1).max(100).optional(),
    url: secretUrl.meta({
      description: "Of another region. By default https://events.pagerduty.com/v2/enqueue.",
    }),
  }),
  z.strictObject({
    ...common,
    type: z.literal("ntfy"),
    url: secretUrl.meta({ description: "The server. By default https://ntfy.sh." }),
    topic: z.string().regex(/^[-_A-Za-z0-9]{1,64}$/, { error: "letters, digits, - and _" }),
    token: z.string().min(1).max(1_000).optional(),
  }),
  z.strictObject({
    ...common,
    type: z.literal("alertmanager"),
    url: secretUrl.meta({ description: "Its address, without /api/v2/alerts." }),
    authorization: z.string().min(1).max(2_000).optional(),
  }),
  z.strictObject({
    ...common,
    type: z.literal("email"),
    from: z.email(),
    to: z.array(z.email()).min(1).max(50),
  }),
  z.strictObject({
    ...common,
    type: z.literal("heartbeat"),
    url: secretUrl.meta({
      description:
        "Called once a minute while rules are evaluated, so that somebody else notices if they are not.",
    }),
  }),
]);
export type Target = z.infer<typeof Target>;
export type TargetType = Target["type"];

/** The fields that are never returned. */
const SECRET_FIELDS = ["url", "secret", "routingKey", "token", "authorization"] as const;
export type Secrets = Partial<Record<(typeof SECRET_FIELDS)[number], string>>;

/** What may be shown of a target. */
export type PublicTarget = WithoutSecrets<Target>;
type WithoutSecrets<T> = T extends Target ? Omit<T, (typeof SECRET_FIELDS)[number]> : never;

export function splitTarget(target: Target): { shown: PublicTarget; secrets: Secrets } {
  const shown: Record<string, unknown> = { ...target };
  const secrets: Secrets = {};
  for (const field of SECRET_FIELDS) {
    const value = shown[field];
    if (typeof value === "string") secrets[field] = value;
    delete shown[field];
  }
  return { shown: shown as PublicTarget, secrets };
}

/** Which secret a target cannot do without. */
export function missingSecret({ type }: Pick<Target, "type">, secrets: Secrets): string | undefined {
  if (type === "pagerduty") return secrets.routingKey === undefined ? "routingKey" : undefined;
  if (type === "ntfy" || type === "email") return undefined;
  return secrets.url === undefined ? "url" : undefined;
}

const DEFAULT_URLS: Partial<Record<TargetType, string>> = {
  pagerduty: "https://events.pagerduty.com/v2/enqueue",
  ntfy: "https://ntfy.sh",
};

/** Undefined for email, which goes through a binding. */
export function urlOf({ type }: Pick<Target, "type">, { url: given }: Secrets): string | undefined {
  return given ?? DEFAULT_URLS[type];
}

export function newWebhookSecret(): string {
  return `whsec_${crypto.getRandomValues(new Uint8Array(32)).toBase64()}`;
}

function isWebhookSecret(text: string): boolean {
  if (!text.startsWith("whsec_")) return false;
  try {
    const { length } = Uint8Array.fromBase64(text.slice("whsec_".length));
    return length >= 24 && length <= 64;
  } catch {
    return false;
  }
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
