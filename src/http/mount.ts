/** Builds a hono app from declared routes: guard, validation, handler and answer of each. */
import type { Hono, MiddlewareHandler } from "hono";
import type { ToSchema, TypedResponse } from "hono/types";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type * as z from "zod";
import type { Right } from "../access/tokens.ts";
import { log, logError } from "../log.ts";
import { ErrorResponse } from "./error-response.ts";
import { readQuery } from "./read-query.ts";
import type { AnyRoute, HttpEnv, Route } from "./route.ts";

/** Returns middleware that rejects a request if its token lacks the right. */
export type Guard = (right: Right) => MiddlewareHandler<HttpEnv>;

type SchemaOf<Declared> =
  Declared extends Route<infer M, infer Path, infer Query, infer Answer>
    ? ToSchema<M, Path, QueryInput<Query>, TypedResponse<z.output<Answer>, ContentfulStatusCode, "json">>
    : never;

/** A route that takes no parameters has no query in its input. */
type QueryInput<Query extends z.ZodObject> = string extends keyof z.input<Query>
  ? { in: {}; out: {} }
  : { in: { query: z.input<Query> }; out: { query: z.output<Query> } };

type Intersection<Union> = (Union extends unknown ? (member: Union) => void : never) extends (
  member: infer All,
) => void
  ? All
  : never;

/** The app's type. hono's client (`hc`) derives the parameters and the answer of each route from it. */
export type AppOf<Routes extends readonly AnyRoute[]> = Hono<
  HttpEnv,
  Intersection<SchemaOf<Routes[number]>> & {}
>;

/** Adds the routes to the app, in their order. */
export function mount<const Routes extends readonly AnyRoute[]>(
  app: Hono<HttpEnv>,
  guard: Guard,
  routes: Routes,
): AppOf<Routes> {
  for (const declared of routes) {
    const isOpen = declared.right === "open" || declared.right === "in handler";
    app.on(
      declared.method.toUpperCase(),
      declared.path,
      ...(isOpen ? [] : [guarding(guard(declared.right as Right), declared)]),
      answerWith(declared),
    );
  }
  // Requests that match no route need the right to read too, so that no path is open by omission.
  app.use(guard("read"));
  return app;
}

/** A guard whose errors the route answers itself, if it answers errors in a form of its own. */
function guarding(guard: MiddlewareHandler<HttpEnv>, { answerError }: AnyRoute): MiddlewareHandler<HttpEnv> {
  if (!answerError) return guard;
  return async (c, next) => {
    try {
      return await guard(c, next);
    } catch (error) {
      return answerError(error as Error, c);
    }
  };
}

function answerWith(declared: AnyRoute): MiddlewareHandler<HttpEnv> {
  return async function answer(c, next) {
    if (declared.answersTo) {
      c.header("Vary", "Accept", { append: true });
      if (!declared.answersTo(c)) {
        await next();
        return undefined;
      }
    }
    try {
      const query = declared.readParameters
        ? declared.query.parse(await declared.readParameters(c))
        : (readQuery(declared.query, c) as unknown);
      const answer = (await declared.handler(c, { params: c.req.param(), query })) as unknown;
      return answer instanceof Response ? answer : c.json(answer, declared.status ?? 200);
    } catch (error) {
      if (declared.logsErrors && error instanceof ErrorResponse) logRefusal(error, c.get("requestId"));
      if (declared.answerError) return declared.answerError(error as Error, c);
      throw error;
    }
  };
}

function logRefusal({ status, code, cause }: ErrorResponse, requestId: string): void {
  if (cause === undefined) log("refused", { requestId, status, code });
  else logError("record_failed", cause, { requestId, status, code });
}
