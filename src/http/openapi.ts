/** `GET /openapi.json`: describes every route. The description comes from the declarations that also run the routes. */
import * as z from "zod";
import { version } from "../../package.json";
import { toJsonSchema } from "./json-schema.ts";
import { type AnyRoute, type ErrorStatus, route } from "./route.ts";

const ERRORS: Record<ErrorStatus | 405 | 500, string> = {
  400: "The request is invalid. The message names what is wrong and what is allowed.",
  401: "The token is missing or unknown.",
  403: "The token lacks the right, or the page's origin or the host is not allowed.",
  404: "There is no such thing.",
  405: "The path does not take this method. `Allow` lists those that it takes.",
  409: "The request contradicts the present state. The message says how.",
  413: "The request is too large.",
  415: "The body has a type or an encoding that is not read.",
  429: "Too many requests. `Retry-After` says when to send again.",
  500: "The request failed, or a setting is invalid. The message says where to look.",
  503: "Not available now. `Retry-After` says when to send again.",
};

const ANY_ROUTE_ERRORS = [405, 500] as const;

const ErrorAnswer = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

const Document = z.record(z.string(), z.unknown());
type Document = z.infer<typeof Document>;

/** Declares the route that describes the given routes and itself. */
export function openApiRoute(routes: readonly AnyRoute[]) {
  let document: Document | undefined;
  const describe = (): Document => (document ??= documentOf([...routes, own as AnyRoute]));
  const own = route({
    method: "get",
    path: "/openapi.json",
    right: "open",
    summary: "This document",
    query: z.object({}),
    answer: Document,
    errors: [],
    // Made on the first request and kept, because it is the same for all.
    handler: describe,
  });
  return own;
}

function documentOf(routes: readonly AnyRoute[]): Document {
  const paths: Record<string, Record<string, object>> = {};
  const groups = Map.groupBy(routes, ({ method, path }) => `${String(method)} ${openApiPath(String(path))}`);
  for (const sameOperation of groups.values()) {
    const { method, path } = sameOperation[0]!;
    (paths[openApiPath(String(path))] ??= {})[String(method)] = operationOf(sameOperation);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "MetricsCollector",
      version,
      description:
        "Durations are milliseconds over measured calls, null if there are none. Times in answers are ISO 8601. " +
        "Names in paths are percent-encoded, slashes as %2F.",
    },
    servers: [{ url: "/" }],
    security: [{ token: [] }],
    paths,
    components: {
      schemas: { Error: toJsonSchema(ErrorAnswer, "output") },
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
    },
  };
}

function openApiPath(path: string): string {
  return path.replaceAll(/:(\w+)/g, "{$1}");
}

/** Routes of one method and path are one operation: they differ in the media type of their answer. */
function operationOf(routes: readonly AnyRoute[]): object {
  const main = routes.find(({ texts }) => texts === undefined) ?? routes[0]!;
  return {
    summary: main.summary,
    ...(main.description === undefined ? {} : { description: main.description }),
    ...(main.right === "open" ? { security: [] } : {}),
    parameters: parametersOf(main),
    ...(main.body
      ? { requestBody: { required: true, content: asJson(toJsonSchema(main.body, "input")) } }
      : {}),
    responses: responsesOf(main, routes),
  };
}

function parametersOf({ path, query, headers = {} }: AnyRoute): object[] {
  const inPath = [...String(path).matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const inQuery = Object.entries((query as z.ZodObject).shape).map(([name, schema]) => {
    const { description, ...rest } = toJsonSchema(schema as z.ZodType, "input");
    const required = !(schema as z.ZodType).safeParse(undefined).success;
    return {
      name,
      in: "query",
      required,
      ...(description === undefined ? {} : { description }),
      schema: rest,
    };
  });
  const inHeader = Object.entries(headers).map(([name, header]) => ({ name, in: "header", ...header }));
  return [...inPath, ...inQuery, ...inHeader];
}

function responsesOf(
  { status = 200, answer, errors, otherStatuses = {} }: AnyRoute,
  routes: readonly AnyRoute[],
): Record<string, object> {
  const texts = routes.flatMap((declared) => declared.texts ?? []);
  const content = {
    ...asJson(toJsonSchema(answer as z.ZodType, "output")),
    ...Object.fromEntries(texts.map((type) => [type, { schema: { type: "string" } }])),
  };
  const failed = { content: asJson({ $ref: "#/components/schemas/Error" }) };
  return {
    [status]: { description: "Done.", content },
    ...Object.fromEntries(
      [...errors, ...ANY_ROUTE_ERRORS].map((code) => [code, { description: ERRORS[code], ...failed }]),
    ),
    ...Object.fromEntries(
      Object.entries(otherStatuses).map(([code, description]) => [code, { description, content }]),
    ),
  };
}

function asJson(schema: object): Record<string, object> {
  return { "application/json": { schema } };
}
