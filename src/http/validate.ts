/** Validates a request's parameters by a schema, typed for handlers and for callers through hono's `hc`. */
import type { Context, MiddlewareHandler } from "hono";
import type { z } from "zod";
import { ErrorResponse, invalidParameter } from "./error-response.ts";

export function query<Schema extends z.ZodObject>(
  schema: Schema,
): MiddlewareHandler<
  { Bindings: Env },
  string,
  { in: { query: z.input<Schema> }; out: { query: z.output<Schema> } }
> {
  return async function query(c, next) {
    c.req.addValidatedData("query", readQuery(schema, c));
    await next();
  };
}

/**
 * @throws {ErrorResponse} 400 for the first parameter that is not what it may be, that is not known, or that is given
 * twice: what is not understood is not ignored, since the answer would be to another question.
 */
export function readQuery<Schema extends z.ZodObject>(schema: Schema, c: Context): z.output<Schema> {
  const given = c.req.queries();
  for (const [parameter, values] of Object.entries(given)) {
    if (values.length > 1) throw invalidParameter(parameter, values, "given once");
  }
  const result = schema.safeParse(c.req.query());
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  if (issue.code === "unrecognized_keys") {
    const known = Object.keys(schema.shape);
    throw new ErrorResponse(
      400,
      "unknown_parameter",
      `There is no parameter ${JSON.stringify(issue.keys[0])} here: ${
        known.length === 0 ? "there are none" : `there are ${known.join(", ")}`
      }.`,
    );
  }
  const parameter = String(issue.path[0]);
  throw invalidParameter(parameter, c.req.query(parameter), issue.message);
}
