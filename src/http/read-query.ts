/** Reads and validates a request's query parameters. */
import type { Context } from "hono";
import type * as z from "zod";
import { InvalidParameterError } from "../errors.ts";
import { ErrorResponse } from "./error-response.ts";

/**
 * Reads the query by its schema. Unknown parameters are rejected instead of ignored. Otherwise a misspelled filter would give
 * an answer that looks filtered and is not.
 *
 * @throws {ErrorResponse} 400 for a parameter that is unknown
 * @throws {InvalidParameterError} for the first parameter that is invalid or given twice
 */
export function readQuery<Schema extends z.ZodObject>(schema: Schema, c: Context): z.output<Schema> {
  for (const [parameter, values] of Object.entries(c.req.queries())) {
    if (values.length > 1) throw new InvalidParameterError(parameter, values, "given once");
  }
  const result = schema.safeParse(c.req.query());
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  if (issue.code === "unrecognized_keys") {
    const known = Object.keys(schema.shape);
    const those = known.length === 0 ? "This route takes none." : `This route takes ${known.join(", ")}.`;
    throw new ErrorResponse(
      400,
      "unknown_parameter",
      `There is no parameter ${JSON.stringify(issue.keys[0])} here. ${those}`,
    );
  }
  const parameter = String(issue.path[0]);
  throw new InvalidParameterError(parameter, c.req.query(parameter), issue.message);
}
