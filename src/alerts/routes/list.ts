/** `GET /alerts`: alerts, rules, targets, silences, and what happened lately. */
import * as z from "zod";
import { route } from "../../http/route.ts";
import type { Alert } from "../alert.ts";
import { callAlerts } from "../alerts-object.ts";
import { Rule, Severity } from "../rule.ts";
import { isActive, Silence } from "../silence.ts";
import { PHASES } from "../state.ts";
import { TargetAnswer, targetAnswer } from "./targets.ts";
import { iso } from "./times.ts";

const time = z.iso.datetime();
const identity = { service: z.string(), module: z.string(), function: z.string() };

const AlertAnswer = z.object({
  id: z.string(),
  rule: z.string(),
  name: z.string(),
  ...identity,
  severity: Severity,
  labels: z.record(z.string(), z.string()),
  runbook: z.string().nullable(),
  state: z.enum(PHASES),
  isUnknown: z.boolean().meta({
    description: "Whether it cannot be judged now. Then it neither fires nor ends.",
  }),
  isSilenced: z.boolean(),
  activeAt: time,
  firedAt: time.nullable(),
  value: z.number().nullable(),
  sentence: z.string().meta({ description: "Why, as of the last change." }),
  told: z.array(z.object({ target: z.string(), at: time })),
  acknowledged: z.object({ at: time, by: z.string(), note: z.string() }).nullable(),
});
export type AlertAnswer = z.infer<typeof AlertAnswer>;

export const AlertList = z.object({
  at: time.meta({ description: "The server's time." }),
  isActive: z
    .boolean()
    .meta({ description: "Whether rules are evaluated: there is a target, or a rule that somebody wrote." }),
  evaluatedAt: time.nullable(),
  problem: z.string().nullable().meta({ description: "Why the last evaluation failed." }),
  waiting: z.int().meta({ description: "Messages that are not delivered yet." }),
  alerts: z.array(AlertAnswer),
  rules: z.array(z.object({ id: z.string(), isDefault: z.boolean(), rule: Rule })),
  targets: z.array(TargetAnswer),
  silences: z.array(z.object({ id: z.string(), isActive: z.boolean(), silence: Silence })),
  unknown: z
    .array(z.object({ rule: z.string(), ...identity, sentence: z.string() }))
    .meta({ description: "What the last evaluation could not judge. Empty after a restart." }),
  history: z
    .array(
      z.object({
        at: time,
        change: z.string().meta({ description: "fired, resolved, unknown, known or acknowledged" }),
        alert: z.string(),
        rule: z.string(),
        name: z.string(),
        ...identity,
        severity: Severity,
        sentence: z.string(),
        firedAt: time.nullable(),
      }),
    )
    .meta({ description: "Latest first." }),
  deliveries: z
    .array(
      z.object({
        at: time,
        target: z.string(),
        message: z.string(),
        kind: z.string(),
        service: z.string(),
        alerts: z.array(z.string()),
        result: z.string().meta({ description: "delivered, retry, refused or given up" }),
        attempts: z.int(),
        answer: z.string(),
      }),
    )
    .meta({ description: "Who was told what, and what they answered. Latest first." }),
});
export type AlertList = z.infer<typeof AlertList>;

export const listAlertsRoute = route({
  method: "get",
  path: "/alerts",
  right: "read",
  summary: "Alerts, rules, targets, and what happened lately",
  query: z.strictObject({}),
  answer: AlertList,
  errors: [400, 401, 403, 429, 503],
  async handler(c) {
    const now = Math.floor(Date.now() / 1000);
    const listing = await callAlerts(c.env, async (alerts) => await alerts.list());
    return {
      at: iso(now),
      isActive: listing.isActive,
      evaluatedAt: listing.evaluatedAt === 0 ? null : iso(listing.evaluatedAt),
      problem: listing.problem,
      waiting: listing.waiting,
      alerts: listing.alerts.map(({ alert, isSilenced }) => alertAnswer(alert, isSilenced)),
      rules: listing.rules.map(({ rule: { id, ...rule }, isDefault }) => ({
        id,
        isDefault,
        rule: rule as Rule,
      })),
      targets: listing.targets.map(targetAnswer),
      silences: listing.silences.map(({ id, silence }) => ({
        id,
        isActive: isActive(silence, now),
        silence,
      })),
      unknown: listing.unknown,
      history: listing.events.map(({ value: _, at, firedAt, ...event }) => ({
        ...event,
        at: iso(at),
        firedAt: iso(firedAt),
      })),
      deliveries: listing.deliveries.map(({ at, ...delivery }) => ({ ...delivery, at: iso(at) })),
    };
  },
});

function alertAnswer(alert: Alert, isSilenced: boolean): AlertAnswer {
  const { id, rule, name, service, module, function: fn, severity, labels, runbook, state } = alert;
  const { value, sentence, told, acknowledged } = alert;
  return {
    id,
    rule,
    name,
    service,
    module,
    function: fn,
    severity,
    labels,
    runbook,
    state: state.phase,
    isUnknown: state.unknownSince !== null,
    isSilenced,
    activeAt: iso(state.activeAt),
    firedAt: iso(state.firedAt),
    value,
    sentence,
    told: Object.entries(told).map(([target, at]) => ({ target, at: iso(at) })),
    acknowledged: acknowledged && { ...acknowledged, at: iso(acknowledged.at) },
  };
}
