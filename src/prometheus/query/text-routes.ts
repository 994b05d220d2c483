/** `/api/v1/format_query` and `/api/v1/parse_query`: a query as neat text, and as a tree. Neither evaluates it. */
import type { Context } from "hono";
import type { HttpEnv } from "../../http/route.ts";
import type { Expression } from "../../promql/ast.ts";
import { prettify } from "../../promql/format.ts";
import { parse } from "../../promql/parser.ts";
import { getRoute, postRoute } from "./declare.ts";
import { inParameter, type Parameters, textOf } from "./parameters.ts";
import { treeOf } from "./tree.ts";

const parameters = { query: "PromQL." };

const formatted = {
  path: "/api/v1/format_query",
  summary: "A query in neat form",
  parameters,
  handler: (_: Context<HttpEnv>, given: Parameters) => prettify(parseQuery(given)),
} as const;

const parsed = {
  path: "/api/v1/parse_query",
  summary: "The tree of a query",
  parameters,
  handler: (_: Context<HttpEnv>, given: Parameters) => treeOf(parseQuery(given)),
} as const;

const parseQuery = (given: Parameters): Expression =>
  inParameter("query", () => parse(textOf(given, "query")));

export const textRoutes = [
  getRoute(formatted),
  postRoute(formatted),
  getRoute(parsed),
  postRoute(parsed),
] as const;
