/** Converts zod schemas to the JSON schemas of an OpenAPI document. */
import * as z from "zod";

/** `io` says whether the schema describes what comes in or what goes out. */
export function toJsonSchema(schema: z.ZodType, io: "input" | "output"): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    override: ({ jsonSchema }) => simplify(jsonSchema),
  });
  return rest;
}

/**
 * Removes what a format or a type already says. Also removes `additionalProperties: false`, because later versions may
 * add fields to answers.
 */
function simplify(schema: z.core.JSONSchema.BaseSchema): void {
  if (schema.format === "date-time" || schema.type === "integer") delete schema.pattern;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.additionalProperties === false) delete schema.additionalProperties;
}
