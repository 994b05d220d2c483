/** Declares the routes of the Prometheus HTTP API, which have parameters, answers and errors of their own form. */
import type { Context } from "hono";
import * as z from "zod";
import { type HttpEnv, type Method, READ_ERRORS, route } from "../../http/route.ts";
import { answerError } from "./errors.ts";
import { type Parameters, readParameters } from "./parameters.ts";

/** What a route takes: the names of its parameters, each with a description. */
type Described = Record<string, string>;

interface Declared<Path extends string> {
  path: Path;
  summary: string;
  parameters?: Described;
  /** The `data` of a successful answer, or a whole response. */
  handler: (c: Context<HttpEnv>, parameters: Parameters, params: Record<string, string>) => unknown;
}

const Answer = z.object({
  status: z.literal("success"),
  data: z.unknown(),
  warnings: z.array(z.string()).optional(),
  infos: z.array(z.string()).optional(),
});

/** Data that was cut off at the limit. */
export class Truncated {
  readonly data: unknown;

  constructor(data: unknown) {
    this.data = data;
  }
}

export const TRUNCATED = "results truncated due to limit";

export function getRoute<Path extends string>(declared: Declared<Path>) {
  return declare("get", declared);
}

/** For requests whose parameters may be too long for a URL. It only reads, so it needs the right to read. */
export function postRoute<Path extends string>(declared: Declared<Path>) {
  return declare("post", declared);
}

function declare<M extends Method, Path extends string>(
  method: M,
  { path, summary, parameters = {}, handler }: Declared<Path>,
) {
  return route({
    method,
    path,
    right: "read",
    summary,
    query: z.object(
      Object.fromEntries(
        Object.entries(parameters).map(([name, description]) => [
          name,
          z.array(z.string()).optional().meta({ description }),
        ]),
      ),
    ),
    answer: Answer,
    otherStatuses: { 422: "The query is valid, but its evaluation failed." },
    errors: READ_ERRORS,
    readParameters,
    answerError,
    async handler(c, { query, params }) {
      const data = await handler(c, query, params);
      if (data instanceof Response) return data;
      const status = "success" as const;
      return data instanceof Truncated
        ? { status, data: data.data, warnings: [TRUNCATED] }
        : { status, data };
    },
  });
}
