/**
 * Declares HTTP routes. A declaration holds everything about a route: method, path, right, parameters, answer, possible
 * errors and handler. The app, the guard, the OpenAPI document and the types of hono's client (`hc`) are made from it.
 */
import type { Context } from "hono";
import type { RequestIdVariables } from "hono/request-id";
import type { ParamKeys } from "hono/types";
import type * as z from "zod";
import type { Right } from "../access/tokens.ts";

export type HttpEnv = { Bindings: Env; Variables: RequestIdVariables };

export type Method = "get" | "post" | "put" | "delete";

/** Statuses of error answers that a route may declare. Every route may also answer 405 and 500. */
export type ErrorStatus = 400 | 401 | 403 | 404 | 409 | 413 | 415 | 429 | 503;

/** The errors of a route that only reads. */
export const READ_ERRORS = [400, 401, 403, 429, 503] as const satisfies readonly ErrorStatus[];

/** The input of a handler: the decoded parameters of the path, and the query as validated by the route's schema. */
export interface RouteInput<Path extends string, Query extends z.ZodObject> {
  params: Record<ParamKeys<Path>, string>;
  query: z.output<Query>;
}

export interface Route<
  M extends Method = Method,
  Path extends string = string,
  Query extends z.ZodObject = z.ZodObject,
  Answer extends z.ZodType = z.ZodType,
> {
  method: M;
  /** In hono's form, such as "/metrics/:service". */
  path: Path;
  /**
   * The right that a token needs. "open" needs no token. "in handler" means that the handler calls `admit` instead of the
   * guard, because the token may be in the body.
   */
  right: Right | "open" | "in handler";
  /** Whether each error answer is logged. Useful where senders often ignore answers. */
  logsErrors?: boolean;
  /** A heading for the OpenAPI document. */
  summary: string;
  description?: string;
  /** The query's parameters. A parameter that is not listed is answered with 400. */
  query: Query;
  /** Documents a JSON body. The handler reads and validates it. */
  body?: z.ZodType;
  /** Documents request headers, as JSON schemas by name. */
  headers?: Record<string, { description: string; schema: object }>;
  /** The status of a successful answer. 200 if left out. */
  status?: 200 | 202;
  /** The JSON of a successful answer. */
  answer: Answer;
  /** Further statuses with this JSON, and what each means. */
  otherStatuses?: Partial<Record<422 | 503, string>>;
  /** Media types of the answer if it is text instead of JSON. */
  texts?: readonly string[];
  errors: readonly ErrorStatus[];
  /** Content negotiation: if this returns false, the next route of the same method and path answers. */
  answersTo?: (c: Context<HttpEnv>) => boolean;
  /** How to read the parameters, if not from the URL, each once. They are then checked by `query` as ever. */
  readParameters?: (c: Context<HttpEnv>) => Promise<Record<string, unknown>>;
  /** Answers errors in another form, also those of the guard. For paths that speak the protocol of another program. */
  answerError?: (error: Error, c: Context<HttpEnv>) => Response;
  /**
   * Returns the JSON of the answer, or a whole response if the status or the headers vary. Make the response with `c`, so
   * that it has the headers that middleware has set.
   */
  handler: (
    c: Context<HttpEnv>,
    input: RouteInput<Path, Query>,
  ) => Promise<z.output<Answer> | Response> | z.output<Answer> | Response;
}

/** Checks a declaration, and keeps its exact types. */
export function route<
  const M extends Method,
  const Path extends string,
  Query extends z.ZodObject,
  Answer extends z.ZodType,
>(declared: Route<M, Path, Query, Answer>): Route<M, Path, Query, Answer> {
  return declared;
}

/** Any route, whatever its types. */
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyRoute = Route<any, any, any, any>;
