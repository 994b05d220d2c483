/**
 * PagerDuty Events v2. One incident for each rule and service: it is opened by the first function and resolved by the last.
 *
 * https://developer.pagerduty.com/docs/send-alert-event
 */
import { type Alert, subjectOf } from "../alert.ts";
import { type Secrets, urlOf } from "../target.ts";
import type { Delivery, Message } from "./message.ts";
import { cut, linesOf, linkOf } from "./text.ts";

const SEVERITIES = { page: "critical", ticket: "warning", info: "info" } as const;
/** PagerDuty allows 1,024 characters. */
const SUMMARY = 1_000;

/** One event for each rule of the message. */
export async function buildPagerDuty(message: Message, secrets: Secrets): Promise<Delivery[]> {
  const request = (event: object): Delivery => ({
    url: urlOf({ type: "pagerduty" }, secrets)!,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ routing_key: secrets.routingKey, ...event }),
  });
  const events: Delivery[] = [];
  for (const [rule, firing] of Map.groupBy(message.firing, (alert) => alert.rule)) {
    const [first] = firing;
    const only = { ...message, firing, over: [] };
    events.push(
      request({
        event_action: "trigger",
        dedup_key: await dedupKey(rule, message),
        client: "MetricsCollector",
        client_url: linkOf(only),
        payload: {
          summary: cut(summaryOf(firing), SUMMARY),
          source: message.service,
          severity: SEVERITIES[worstOf(firing)],
          component: firing.length === 1 ? first!.function : message.service,
          timestamp: new Date(message.at * 1000).toISOString(),
          custom_details: { alerts: linesOf(only), labels: first!.labels, runbook: first!.runbook },
        },
      }),
    );
  }
  // A test leaves no open incident.
  const ended = message.kind === "test" ? message.firing : message.over;
  for (const rule of new Set(ended.map((alert) => alert.rule))) {
    if (message.kind === "test") {
      events.push(request({ event_action: "resolve", dedup_key: await dedupKey(rule, message) }));
      continue;
    }
    const isOpen = message.stillFiring.includes(rule) || message.firing.some((alert) => alert.rule === rule);
    if (!isOpen) events.push(request({ event_action: "resolve", dedup_key: await dedupKey(rule, message) }));
  }
  return events;
}

function summaryOf(firing: readonly Alert[]): string {
  const [first] = firing;
  if (firing.length === 1) return `${first!.name}: ${subjectOf(first!)}. ${first!.sentence}`;
  return `${first!.name}: ${firing.length} functions of ${first!.service}`;
}

function worstOf(firing: readonly Alert[]): Alert["severity"] {
  const all = firing.map(({ severity }) => severity);
  return all.includes("page") ? "page" : all.includes("ticket") ? "ticket" : "info";
}

/** A test must not touch the incident of a real alert. */
async function dedupKey(rule: string, { service, kind }: Message): Promise<string> {
  const text = `${kind === "test" ? "test" : "alert"}\n${rule}\n${service}`;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `metrics-collector-${new Uint8Array(digest).toHex().slice(0, 40)}`;
}
