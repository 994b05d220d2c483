/** `GET /openapi.json`: what the API takes and answers, from the schemas that validate it. */
import * as z from "zod";
import { version } from "../../package.json";
import { DescribeParameters, FunctionDescription } from "../api/describe-function.ts";
import { Distribution, DistributionParameters } from "../api/distribution.ts";
import { FunctionList, ListParameters } from "../api/list-functions.ts";
import { CONTENT_TYPES } from "../prometheus/exposition.ts";
import { SearchParameters, SearchResults } from "../api/search.ts";
import { NoParameters, ServiceList } from "../api/services.ts";
import { idempotencyKeyParameter, samplesAnswer, samplesBody } from "../ingest/samples/api-schemas.ts";

interface Operation {
  method: "get" | "post" | "delete";
  path: string;
  summary: string;
  description?: string;
  query?: z.ZodObject;
  body?: z.ZodType;
  status?: number;
  /** Left out where the answer has no schema of its own. */
  answer?: z.ZodType;
  /** What it may be answered in, besides JSON. */
  texts?: readonly string[];
  errors: readonly (keyof typeof ERRORS)[];
  isOpen?: boolean;
}

const ERRORS = {
  400: "Something in the request is not what it may be; the message says what, and what is allowed.",
  401: "A token is missing or not known.",
  403: "The token does not grant this, or the page's origin is not one of CORS_ORIGINS.",
  404: "There is no such thing.",
  409: "The Idempotency-Key came before with other samples, or D1 has taken the dead letter after all.",
  413: "The batch is too large.",
  415: "The body is of a type or an encoding that is not read.",
  429: "Too many requests; Retry-After says when to come again.",
  503: "Not now; Retry-After says when to come again.",
} as const;

const READ_ERRORS = [400, 401, 403, 429, 503] as const;

const Failed = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

const OPERATIONS: readonly Operation[] = [
  {
    method: "post",
    path: "/samples",
    summary: "Take samples in",
    description:
      "Good samples are taken even where others are bad. Sent again under the same `Idempotency-Key`, a batch is counted once.",
    body: samplesBody,
    status: 202,
    answer: samplesAnswer,
    errors: [400, 401, 403, 409, 413, 415, 429, 503],
  },
  {
    method: "get",
    path: "/metrics",
    summary: "Functions and what they did",
    description:
      "Since the beginning, or over a range. Every acknowledged call is counted at once. In Prometheus's text format or " +
      "OpenMetrics where `Accept` or `format` asks for it.",
    query: ListParameters,
    answer: FunctionList,
    texts: Object.values(CONTENT_TYPES),
    errors: READ_ERRORS,
  },
  {
    method: "get",
    path: "/metrics/{service}/{function}",
    summary: "One function, its failures, and what it did over time",
    query: DescribeParameters,
    answer: FunctionDescription,
    errors: [...READ_ERRORS, 404],
  },
  {
    method: "get",
    path: "/metrics/{service}/{function}/histogram",
    summary: "How a function's durations are distributed",
    query: DistributionParameters,
    answer: Distribution,
    errors: [...READ_ERRORS, 404],
  },
  {
    method: "get",
    path: "/services",
    summary: "Services and what they did",
    query: NoParameters,
    answer: ServiceList,
    errors: READ_ERRORS,
  },
  {
    method: "get",
    path: "/search",
    summary: "Functions and failures by words and parts of words, the best first",
    query: SearchParameters,
    answer: SearchResults,
    errors: READ_ERRORS,
  },
  {
    method: "get",
    path: "/health",
    summary: "What waits between the acknowledgement and D1",
    errors: [401, 403, 429, 503],
  },
  {
    method: "get",
    path: "/dead-letters",
    summary: "Flushes that D1 keeps refusing",
    errors: [401, 403, 429, 503],
  },
  {
    method: "post",
    path: "/dead-letters/{id}/replay",
    summary: "Send a dead letter again now",
    status: 202,
    errors: [401, 403, 404, 429, 503],
  },
  {
    method: "delete",
    path: "/dead-letters/{id}",
    summary:
      "Give a dead letter up: its calls will never be counted, and the answer says by how much each counter falls",
    errors: [401, 403, 404, 409, 429, 503],
  },
  { method: "get", path: "/openapi.json", summary: "This document", errors: [], isOpen: true },
];

/** The document is the same for each request, but made for the first only. */
let made: object | undefined;

export function openApiDocument(): object {
  made ??= {
    openapi: "3.1.0",
    info: {
      title: "MetricsCollector",
      version,
      description:
        "Durations are milliseconds over measured calls, null where there is none; times in answers are ISO 8601. " +
        "Names in paths are percent-encoded, slashes as %2F.",
    },
    servers: [{ url: "/" }],
    security: [{ token: [] }],
    paths: pathsOf(OPERATIONS),
    components: {
      schemas: { Error: schemaOf(Failed, "output") },
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
    },
  };
  return made;
}

function pathsOf(operations: readonly Operation[]): Record<string, Record<string, object>> {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of operations) {
    (paths[operation.path] ??= {})[operation.method] = {
      summary: operation.summary,
      ...(operation.description === undefined ? {} : { description: operation.description }),
      ...(operation.isOpen ? { security: [] } : {}),
      parameters: parametersOf(operation),
      ...(operation.body
        ? { requestBody: { required: true, content: json(schemaOf(operation.body, "input")) } }
        : {}),
      responses: responsesOf(operation),
    };
  }
  return paths;
}

function parametersOf({ method, path, query }: Operation): object[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const inQuery = Object.entries(query?.shape ?? {}).map(([name, schema]) => {
    const { description, ...rest } = schemaOf(schema as z.ZodType, "input");
    const required = !(schema as z.ZodType).safeParse(undefined).success;
    return {
      name,
      in: "query",
      required,
      ...(description === undefined ? {} : { description }),
      schema: rest,
    };
  });
  return [
    ...inPath,
    ...inQuery,
    ...(method === "post" && path === "/samples" ? [idempotencyKeyParameter] : []),
  ];
}

function responsesOf({ status = 200, answer, texts = [], errors }: Operation): Record<string, object> {
  const schema = answer ? schemaOf(answer, "output") : { type: "object" };
  const asText = texts.map((type) => [type, { schema: { type: "string" } }]);
  const failed = { content: json({ $ref: "#/components/schemas/Error" }) };
  return {
    [status]: { description: "Done.", content: { ...json(schema), ...Object.fromEntries(asText) } },
    ...Object.fromEntries(errors.map((code) => [code, { description: ERRORS[code], ...failed }])),
  };
}

function json(schema: object): Record<string, object> {
  return { "application/json": { schema } };
}

function schemaOf(schema: z.ZodType, io: "input" | "output"): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    override: ({ jsonSchema }) => simplify(jsonSchema),
  });
  return rest;
}

/** Leaves out what a format or a type says already, and what would forbid an answer to say more one day. */
function simplify(schema: z.core.JSONSchema.BaseSchema): void {
  if (schema.format === "date-time" || schema.type === "integer") delete schema.pattern;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.additionalProperties === false) delete schema.additionalProperties;
}
