/** `/alerts/targets/:id`: reads, writes, deletes and tests a target. Its secrets are never returned, but for a new one. */
import * as z from "zod";
import { ErrorResponse } from "../../http/error-response.ts";
import { route } from "../../http/route.ts";
import { callAlerts } from "../alerts-object.ts";
import { noteActive } from "../health.ts";
import { refusalOfAddress } from "../../outgoing-address.ts";
import { newWebhookSecret, QuietHours, splitTarget, Target } from "../target.ts";
import { Selector, Severity } from "../rule.ts";
import { checkId, notFound, READ, WRITE } from "./ids.ts";
import { readJson } from "../../http/read-json.ts";
import { iso } from "./times.ts";
import type { AlertsListing } from "../listing.ts";

export const TargetAnswer = z.object({
  id: z.string(),
  type: z.string(),
  enabled: z.boolean(),
  severities: z.array(Severity),
  selector: Selector,
  quietHours: QuietHours.nullable(),
  repeat: z.string().nullable(),
  failingSince: z.iso
    .datetime()
    .nullable()
    .meta({ description: "Since when nothing reaches it. Null if the last attempt succeeded." }),
  lastAt: z.iso.datetime().nullable(),
  lastAnswer: z.string().nullable(),
});
export type TargetAnswer = z.infer<typeof TargetAnswer>;

export function targetAnswer({ id, target, status }: AlertsListing["targets"][number]): TargetAnswer {
  const { type, enabled, severities, selector, quietHours, repeat } = target;
  return {
    id,
    type,
    enabled,
    severities,
    selector,
    quietHours: quietHours ?? null,
    repeat: repeat ?? null,
    failingSince: iso(status.failingSince),
    lastAt: iso(status.lastAt),
    lastAnswer: status.lastAnswer,
  };
}

export const getTargetRoute = route({
  method: "get",
  path: "/alerts/targets/:id",
  right: "read",
  summary: "One target, without what is secret of it",
  query: z.strictObject({}),
  answer: TargetAnswer,
  errors: READ,
  async handler(c, { params: { id } }) {
    const { targets } = await callAlerts(c.env, async (alerts) => await alerts.list());
    const found = targets.find((target) => target.id === id);
    if (!found) throw notFound("target", id);
    return targetAnswer(found);
  },
});

export const putTargetRoute = route({
  method: "put",
  path: "/alerts/targets/:id",
  right: "admin",
  summary: "Make or replace a target",
  description: "Secrets that are left out stay as they are.",
  query: z.strictObject({}),
  body: Target,
  answer: z.object({
    id: z.string(),
    type: z.string(),
    secret: z.string().nullable().meta({
      description: "The secret that was made for a new webhook. It is shown this once. Null otherwise.",
    }),
  }),
  errors: WRITE,
  async handler(c, { params }) {
    const id = checkId(params.id);
    const { shown, secrets } = splitTarget(await readJson(c, Target, "a target"));
    if (secrets.url !== undefined) {
      const refusal = refusalOfAddress(secrets.url, c.env.OPEN_WITHOUT_TOKENS === "true");
      if (refusal !== undefined) {
        throw new ErrorResponse(
          400,
          "address_not_allowed",
          `The url of the target is not allowed. ${refusal}`,
        );
      }
    }
    const { origin } = new URL(c.req.url);
    const { targets } = await callAlerts(c.env, async (alerts) => await alerts.list());
    const isNew = targets.find((target) => target.id === id)?.target.type !== shown.type;
    const made =
      isNew && shown.type === "webhook" && secrets.secret === undefined ? newWebhookSecret() : null;
    const given = made === null ? secrets : { ...secrets, secret: made };
    const { missing } = await callAlerts(
      c.env,
      async (alerts) => await alerts.putTarget(id, shown, given, origin),
    );
    if (missing !== undefined) {
      throw new ErrorResponse(
        400,
        "missing_field",
        `A target of the type ${shown.type} needs the field ${missing}.`,
      );
    }
    noteActive();
    return { id, type: shown.type, secret: made };
  },
});

export const deleteTargetRoute = route({
  method: "delete",
  path: "/alerts/targets/:id",
  right: "admin",
  summary: "Delete a target, with the messages that wait for it",
  query: z.strictObject({}),
  answer: z.object({ deleted: z.string() }),
  errors: WRITE,
  async handler(c, { params: { id } }) {
    const isDeleted = await callAlerts(c.env, async (alerts) => await alerts.deleteTarget(id));
    if (!isDeleted) throw notFound("target", id);
    return { deleted: id };
  },
});

export const testTargetRoute = route({
  method: "post",
  path: "/alerts/targets/:id/test",
  right: "admin",
  summary: "Send a sample to a target, and say what it answered",
  query: z.strictObject({}),
  answer: z.object({ isDelivered: z.boolean(), answer: z.string() }),
  errors: WRITE,
  async handler(c, { params: { id } }) {
    const sent = await callAlerts(c.env, async (alerts) => await alerts.testTarget(id));
    if (!sent) throw notFound("target", id);
    return { isDelivered: sent.result === "delivered", answer: sent.answer };
  },
});
