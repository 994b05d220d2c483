/**
 * `PUT /attention/mute` and `DELETE /attention/mute`: says until when, and why, a function needs no attention although it
 * fails, is silent or is slower. `GET /attention` then lists it last, with the reason.
 */
import * as z from "zod";
import { callBinding } from "../call-binding.ts";
import { FunctionName, ModuleName, ServiceName, Time } from "../http/parameters.ts";
import { route } from "../http/route.ts";
import { UnknownSeriesError } from "../read/errors.ts";
import { readTotals } from "../read/series.ts";
import { KINDS } from "../stats/attention.ts";
import { deleteMute, putMute } from "../store/mutes.ts";

const ERRORS = [400, 401, 403, 404, 429, 503] as const;
const LONGEST_MS = 366 * 86_400_000;
const SOON = "a time within a year from now";
const REASON = "a reason of 1 to 500 characters";

const Named = {
  service: ServiceName,
  module: ModuleName.default("").meta({ description: "Empty, or left out, for functions without one." }),
  function: FunctionName,
  kind: z.enum(KINDS),
};

export const muteRoute = route({
  method: "put",
  path: "/attention/mute",
  right: "admin",
  summary: "Mute one kind of attention of a function until a date",
  query: z.strictObject({
    ...Named,
    until: Time.refine((time) => time > Date.now() && time <= Date.now() + LONGEST_MS, { error: SOON }),
    reason: z.string({ error: REASON }).trim().min(1, { error: REASON }).max(500, { error: REASON }),
  }),
  answer: z.object({ until: z.iso.datetime(), reason: z.string() }),
  errors: ERRORS,
  async handler(c, { query }) {
    const { service, module, function: name, until, reason } = query;
    const of = { service, module, function: name };
    if ((await readTotals(c.env, of)).length === 0) throw new UnknownSeriesError(of);
    await callBinding("D1", () => putMute(c.env.DB, query, Date.now()));
    return { until: new Date(until).toISOString(), reason };
  },
});

export const unmuteRoute = route({
  method: "delete",
  path: "/attention/mute",
  right: "admin",
  summary: "End a mute",
  query: z.strictObject(Named),
  answer: z.object({ wasMuted: z.boolean() }),
  errors: ERRORS.filter((status) => status !== 404),
  handler: async (c, { query }) => ({
    wasMuted: await callBinding("D1", () => deleteMute(c.env.DB, query)),
  }),
});
