/** `/sinks`: lists sinks, sets one up or changes it, sends everything again, removes one. */
import * as z from "zod";
import { callBinding } from "../call-binding.ts";
import { ErrorResponse } from "../http/error-response.ts";
import { readJson } from "../http/read-json.ts";
import { route } from "../http/route.ts";
import { refusalOfAddress } from "../outgoing-address.ts";
import { readSinks, type SinkState } from "../read/sinks.ts";
import { readSinkNames } from "../store/sinks.ts";
import { callSink } from "./sinks.ts";
import { SinkConfiguration, targetOf } from "./targets.ts";

const MAX_SINKS = 16;

/** docs/sinks.md explains the fields and the states. */
const ShownSink = z.object({
  name: z.string(),
  configuration: z.record(z.string(), z.unknown()),
  state: z.enum(["beginning", "sending", "caught up", "waiting", "stopped", "unknown"]),
  problem: z.string().nullable(),
  lagRows: z.int(),
  lagSeconds: z.int(),
  sentOfBeginning: z.int().nullable(),
  refused: z.int(),
  refusedRows: z.array(
    z.object({
      service: z.string(),
      module: z.string(),
      function: z.string(),
      start: z.string(),
      reason: z.string(),
    }),
  ),
  hoursInsteadOfMinutes: z.object({ from: z.string(), to: z.string() }).nullable(),
});

const ERRORS = [401, 403, 429, 503] as const;

export const listSinksRoute = route({
  method: "get",
  path: "/sinks",
  right: "read",
  summary: "Other stores that get the figures, and how far each is",
  query: z.object({}),
  answer: z.object({ sinks: z.array(ShownSink) }),
  errors: ERRORS,
  handler: async (c) => ({ sinks: (await readSinks(c.env)).map(shown) }),
});

export const putSinkRoute = route({
  method: "put",
  path: "/sinks/:name",
  right: "admin",
  summary: "Set up a sink, or change it",
  description:
    "Secrets that are left out stay as they are, if the host is the same. A sink that gets another store begins anew.",
  query: z.object({}),
  body: SinkConfiguration,
  answer: z.object({ name: z.string() }),
  errors: [400, 409, 413, ...ERRORS],
  async handler(c, { params }) {
    const name = checkedName(params.name);
    const configuration = await readJson(c, SinkConfiguration, "a sink");
    const refusal = refusalOfAddress(
      targetOf(configuration).addressOf(configuration),
      c.env.OPEN_WITHOUT_TOKENS === "true",
    );
    if (refusal !== undefined) throw new ErrorResponse(400, "address_not_allowed", refusal);
    const names = await callBinding("D1", () => readSinkNames(c.env.DB));
    if (names.length >= MAX_SINKS && !names.includes(name)) {
      throw new ErrorResponse(
        409,
        "too_many_sinks",
        `There are ${MAX_SINKS} sinks, which is the limit. Delete one.`,
      );
    }
    await callSink(c.env, name, async (sink) => await sink.configure(name, configuration));
    return { name };
  },
});

export const resendSinkRoute = route({
  method: "post",
  path: "/sinks/:name/resend",
  right: "admin",
  summary: "Send everything again, such as after the store has lost rows or refused them",
  query: z.object({}),
  status: 202,
  answer: z.object({ name: z.string() }),
  errors: [400, 404, ...ERRORS],
  async handler(c, { params }) {
    const name = await knownName(c.env, params.name);
    await callSink(c.env, name, async (sink) => await sink.resend());
    return { name };
  },
});

export const deleteSinkRoute = route({
  method: "delete",
  path: "/sinks/:name",
  right: "admin",
  summary: "Remove a sink; the rows in the store stay",
  query: z.object({}),
  answer: z.object({ removed: z.string() }),
  errors: [400, 404, ...ERRORS],
  async handler(c, { params }) {
    const name = await knownName(c.env, params.name);
    await callSink(c.env, name, async (sink) => await sink.remove(name));
    return { removed: name };
  },
});

export const sinkRoutes = [listSinksRoute, putSinkRoute, resendSinkRoute, deleteSinkRoute] as const;

function shown({ isBeginning: _, cursor: __, trouble, coarse, refusedRows, ...sink }: SinkState) {
  return {
    ...sink,
    problem: trouble?.reason ?? null,
    refusedRows: refusedRows.map((row) => ({ ...row, start: iso(row.start) })),
    hoursInsteadOfMinutes: coarse && { from: iso(coarse.from), to: iso(coarse.to) },
  };
}

function checkedName(name: string): string {
  if (/^[a-z0-9][a-z0-9-]{0,62}$/.test(name)) return name;
  throw new ErrorResponse(
    400,
    "invalid_name",
    "The name of a sink has up to 63 lower-case letters, digits and hyphens, and begins with no hyphen.",
  );
}

async function knownName(env: Pick<Env, "DB">, given: string): Promise<string> {
  const name = checkedName(given);
  const names = await callBinding("D1", () => readSinkNames(env.DB));
  if (names.includes(name)) return name;
  throw new ErrorResponse(404, "not_found", `There is no sink ${name}. GET /sinks lists them.`);
}

function iso(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString();
}
