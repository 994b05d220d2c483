/** Sends a message to a target once, and says what became of it. Never throws. */
import type { PublicTarget, Secrets } from "../target.ts";
import { refusalOfAddress } from "../../outgoing-address.ts";
import { buildAlertmanager } from "./alertmanager.ts";
import { buildDiscord } from "./discord.ts";
import { buildEmail, type Email } from "./email.ts";
import type { Delivery, Message } from "./message.ts";
import { buildNtfy } from "./ntfy.ts";
import { buildPagerDuty } from "./pagerduty.ts";
import { buildSlack } from "./slack.ts";
import { buildTeams } from "./teams.ts";
import { buildWebhook } from "./webhook.ts";

/** "retry": it may work later. "refused": it will not, whatever is tried. */
export interface Sent {
  result: "delivered" | "retry" | "refused";
  /** What the target answered, for people. Holds nothing secret. */
  answer: string;
  /** Seconds until the next attempt, if the target asks for it. */
  retryAfter?: number;
}

/** What `env` may have for alerts. Nothing of it is required. */
export interface SendBindings {
  EMAIL?: { send: (email: Email) => Promise<unknown> };
  OPEN_WITHOUT_TOKENS?: string;
}

const TIMEOUT_MS = 10_000;
/** Of an answer, so many characters are kept. */
const SHOWN = 200;

export async function send(
  message: Message,
  target: PublicTarget,
  secrets: Secrets,
  env: SendBindings,
  now: number,
): Promise<Sent> {
  try {
    if (target.type === "email") return await sendEmail(buildEmail(message, target), env);
    let sent: Sent = { result: "delivered", answer: "There was nothing to send." };
    for (const delivery of await build(message, target, secrets, now)) {
      sent = withoutSecrets(await post(delivery, env), secrets);
      if (sent.result !== "delivered") break;
    }
    return sent;
  } catch (error) {
    return { result: "retry", answer: `It could not be sent: ${(error as Error).name}.` };
  }
}

async function build(
  message: Message,
  target: PublicTarget,
  secrets: Secrets,
  now: number,
): Promise<Delivery[]> {
  switch (target.type) {
    case "webhook":
      return [await buildWebhook(message, secrets, now)];
    case "slack":
      return [buildSlack(message, secrets)];
    case "teams":
      return [buildTeams(message, secrets)];
    case "discord":
      return [buildDiscord(message, secrets)];
    case "pagerduty":
      return buildPagerDuty(message, secrets);
    case "ntfy":
      return [buildNtfy(message, target.topic, secrets)];
    case "alertmanager":
      return [buildAlertmanager(message, secrets, now)];
    default:
      return [{ url: secrets.url!, headers: {}, body: "" }];
  }
}

/** A target may quote what it was sent. */
function withoutSecrets(sent: Sent, secrets: Secrets): Sent {
  let { answer } = sent;
  for (const secret of Object.values(secrets)) answer = answer.replaceAll(secret, "(secret)");
  return { ...sent, answer };
}

/** Sends one request. Follows no redirect: it could lead where the address may not. */
export async function post({ url, headers, body }: Delivery, env: SendBindings): Promise<Sent> {
  const refusal = refusalOfAddress(url, env.OPEN_WITHOUT_TOKENS === "true");
  if (refusal !== undefined) return { result: "refused", answer: refusal };
  let response: Response;
  let text: string;
  const controller = new AbortController();
  // Not AbortSignal.timeout, whose timer would keep the object in memory, and billed, until it rings.
  const timer = setTimeout(() => controller.abort(), TIMEOUT_MS);
  try {
    const { signal } = controller;
    response = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal });
    text = await readStart(response);
  } catch {
    const answer = controller.signal.aborted
      ? `No answer within ${TIMEOUT_MS / 1000} s.`
      : "The connection failed.";
    return { result: "retry", answer };
  } finally {
    clearTimeout(timer);
  }
  const { status } = response;
  const shown = text.trim().slice(0, SHOWN).toWellFormed();
  const answer = `${status}${shown === "" ? "" : `: ${shown}`}`;
  if (response.ok) return { result: "delivered", answer };
  if (status >= 300 && status < 400) {
    return { result: "refused", answer: `${status}: it redirects elsewhere, which is not followed.` };
  }
  if (status !== 408 && status !== 429 && status < 500) return { result: "refused", answer };
  const retryAfter = retryAfterOf(response, text);
  return { result: "retry", answer, ...(retryAfter === undefined ? {} : { retryAfter }) };
}

/** Reads some of a body, which may be endless. */
async function readStart(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (!reader) return "";
  const decoder = new TextDecoder();
  let text = "";
  while (text.length < SHOWN) {
    const { value, done } = await reader.read();
    if (done) return text;
    text += decoder.decode(value as Uint8Array, { stream: true });
  }
  await reader.cancel();
  return text;
}

/** Seconds, by the header or, as Discord does, in the body. */
function retryAfterOf(response: Response, text: string): number | undefined {
  const header = Number(response.headers.get("Retry-After") ?? Number.NaN);
  if (header >= 0) return Math.min(header, 86_400);
  const [, inBody] = /"retry_after":\s*([\d.]+)/.exec(text) ?? [];
  return inBody === undefined ? undefined : Math.min(Number(inBody), 86_400);
}

async function sendEmail(email: Email, { EMAIL }: SendBindings): Promise<Sent> {
  if (!EMAIL) {
    const answer =
      'The Worker has no binding EMAIL. Add [[send_email]] with name = "EMAIL" to wrangler.toml and deploy again.';
    return { result: "refused", answer };
  }
  try {
    await EMAIL.send(email);
    return { result: "delivered", answer: "Cloudflare took it." };
  } catch (error) {
    return { result: "retry", answer: String(error).slice(0, SHOWN) };
  }
}
