/** `/alerts/silences/:id`, and the acknowledgement of an alert. */
import * as z from "zod";
import { ErrorResponse } from "../../http/error-response.ts";
import { route } from "../../http/route.ts";
import { callAlerts } from "../alerts-object.ts";
import { Silence } from "../silence.ts";
import { checkId, notFound, WRITE } from "./ids.ts";
import { readJson } from "../../http/read-json.ts";

export const putSilenceRoute = route({
  method: "put",
  path: "/alerts/silences/:id",
  right: "admin",
  summary: "Tell nobody of some alerts until a time",
  description: "Alerts that still fire when it ends are told then.",
  query: z.strictObject({}),
  body: Silence,
  answer: z.object({ id: z.string(), silence: Silence }),
  errors: WRITE,
  async handler(c, { params }) {
    const id = checkId(params.id);
    const given = await readJson(c, Silence, "a silence");
    const silence = { ...given, startsAt: given.startsAt ?? new Date().toISOString() };
    if (Date.parse(silence.endsAt) <= Math.max(Date.now(), Date.parse(silence.startsAt))) {
      throw new ErrorResponse(
        400,
        "invalid_field",
        "The field endsAt must be in the future, and after startsAt.",
      );
    }
    await callAlerts(c.env, async (alerts) => await alerts.putSilence(id, silence));
    return { id, silence };
  },
});

export const deleteSilenceRoute = route({
  method: "delete",
  path: "/alerts/silences/:id",
  right: "admin",
  summary: "End a silence",
  query: z.strictObject({}),
  answer: z.object({ deleted: z.string() }),
  errors: WRITE,
  async handler(c, { params: { id } }) {
    const isDeleted = await callAlerts(c.env, async (alerts) => await alerts.deleteSilence(id));
    if (!isDeleted) throw notFound("silence", id);
    return { deleted: id };
  },
});

const Acknowledgement = z.strictObject({
  by: z.string().trim().max(200).default(""),
  note: z.string().trim().max(1_000).default(""),
});

export const acknowledgeRoute = route({
  method: "post",
  path: "/alerts/:id/acknowledge",
  right: "admin",
  summary: "Say that somebody takes care of an alert: it is not repeated",
  query: z.strictObject({}),
  body: Acknowledgement,
  answer: z.object({ acknowledged: z.string() }),
  errors: WRITE,
  async handler(c, { params: { id } }) {
    const { by, note } = await readJson(c, Acknowledgement, "an acknowledgement");
    const isKnown = await callAlerts(c.env, async (alerts) => await alerts.acknowledge(id, by, note));
    if (!isKnown) throw notFound("alert", id);
    return { acknowledged: id };
  },
});
