/**
 * Prometheus' Alertmanager, API v2. It forgets alerts that are not sent again, so firing ones are sent at each evaluation, and
 * end by themselves a few minutes after the last one. Its labels identify an alert, so a repeat changes nothing.
 *
 * https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
 */
import { type Alert, subjectOf } from "../alert.ts";
import type { Secrets } from "../target.ts";
import type { Delivery, Message } from "./message.ts";
import { linkOf } from "./text.ts";
import { isoOf } from "./webhook.ts";

/** How long Alertmanager keeps an alert that is not sent again: four evaluations, as Prometheus does. */
const KEPT_SECONDS = 240;

export function buildAlertmanager(message: Message, secrets: Secrets, now: number): Delivery {
  const alerts = [
    ...message.firing.map((alert) => postable(alert, message, now + KEPT_SECONDS)),
    ...message.over.map((alert) => postable(alert, message, message.at)),
  ];
  return {
    url: `${secrets.url!.replace(/\/+$/, "")}/api/v2/alerts`,
    headers: {
      "Content-Type": "application/json",
      ...(secrets.authorization === undefined ? {} : { Authorization: secrets.authorization }),
    },
    body: JSON.stringify(alerts),
  };
}

function postable(alert: Alert, message: Message, endsAt: number) {
  const { state } = alert;
  const startsAt = state.firedAt ?? state.activeAt;
  return {
    labels: labelsOf(alert),
    annotations: annotationsOf(alert),
    startsAt: isoOf(startsAt),
    // Alertmanager refuses an end before the beginning.
    endsAt: isoOf(Math.max(endsAt, startsAt)),
    generatorURL: linkOf({ ...message, firing: [alert], over: [] }),
  };
}

export function annotationsOf(alert: Alert): Record<string, string> {
  const { name, sentence, runbook } = alert;
  return {
    summary: `${name}: ${subjectOf(alert)}`,
    description: sentence,
    ...(runbook === null ? {} : { runbook_url: runbook }),
  };
}

/** The labels of an alert in Prometheus' world. They identify it, so nothing in them may change while it fires. */
export function labelsOf(alert: Alert): Record<string, string> {
  const { rule, part, service, module, function: name, severity, labels } = alert;
  return {
    ...labels,
    alertname: rule,
    service_name: service,
    ...(module === "" ? {} : { module }),
    function: name,
    severity,
    ...(part === "" ? {} : { part }),
  };
}
