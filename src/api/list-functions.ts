/** `GET /metrics` as JSON: functions and what they did, filtered, sorted, page by page. */
import * as z from "zod";
import { invalidParameter } from "../http/error-response.ts";
import { limits } from "../limits.ts";
import {
  type Column,
  comparing,
  readCursor,
  type Sortable,
  SORTABLE,
  type Sorting,
  writeCursor,
} from "./cursor.ts";
import { FunctionMetrics, functionMetrics, round } from "./function-metrics.ts";
import { oneOf, RangeParameters, wholeNumber, Words } from "../http/parameters.ts";
import { chooseStep, rangeAskedFor, secondsOf } from "../read/range.ts";
import { isSelectedBy } from "../read/selection.ts";
import { readTotals, readTotalsOver } from "../read/totals.ts";

export const ListParameters = z.strictObject({
  format: oneOf(["json", "prometheus", "openmetrics"]).optional().meta({
    description: "Whatever `Accept` says. For text, only the functions can be chosen: service, function, q.",
  }),
  service: z.string().optional(),
  function: z
    .string()
    .optional()
    .meta({ description: "The name, or the beginning of it with `*` at its end.", examples: ["charge*"] }),
  q: Words.optional().meta({
    description: "Words, each of which is in the service, the module or the name.",
  }),
  ...RangeParameters.shape,
  points: wholeNumber(2, limits.sparklinePoints).optional().meta({
    description: "With a range: calls and errors over time in each item, in at most so many steps.",
  }),
  sort: oneOf(SORTABLE).optional().meta({ description: "`calls` if left out. Nulls come last." }),
  order: oneOf(["desc", "asc"]).optional().meta({ description: "`desc` if left out." }),
  limit: wholeNumber(1, limits.functionsPerPage).optional(),
  cursor: z
    .string()
    .optional()
    .meta({
      description:
        "The `next` of the page before. The list goes on after the last value and name of that page: " +
        "what moves meanwhile may be met twice or missed.",
    }),
});

export const FunctionList = z.object({
  from: z.iso
    .datetime()
    .optional()
    .meta({ description: "With a range: as it was cut, at whole minutes or coarser." }),
  to: z.iso.datetime().optional(),
  stepSeconds: z.int().optional().meta({ description: "With `points`: the length of a step." }),
  functions: z.array(
    FunctionMetrics.extend({
      callsPerSecond: z.number().optional().meta({ description: "With a range." }),
      sparkline: z
        .object({ calls: z.array(z.int()), errors: z.array(z.int()) })
        .optional()
        .meta({
          description:
            "With `points`: of each step. Steps are whole: the first begins at `from` or, at most a step, before it.",
        }),
    }),
  ),
  next: z.string().nullable().meta({ description: "The cursor of the next page; null at the end." }),
});
export type FunctionList = z.infer<typeof FunctionList>;

/** @throws {ErrorResponse} 400 for parameters that do not go together */
export async function listFunctions(
  env: Pick<Env, "BUFFER" | "DB">,
  parameters: z.infer<typeof ListParameters>,
): Promise<FunctionList> {
  const now = Date.now();
  const range = rangeAskedFor(parameters, now);
  const { sorting, last } = sortingOf(parameters);
  const isSelected = isSelectedBy(parameters);
  if (!range) {
    if (parameters.points !== undefined) {
      throw invalidParameter("points", parameters.points, "left out where there is no range (from)");
    }
    if (sorting.sort === "callsPerSecond") {
      throw invalidParameter("sort", sorting.sort, "another column where there is no range (from)");
    }
    const totals = await readTotals(env, isSelected);
    return pageOf(totals.map(functionMetrics), sorting, last, parameters.limit);
  }
  const { points } = parameters;
  const steps = points === undefined ? { covered: range, step: Infinity } : chooseStep(range, points, now);
  const totals = await readTotalsOver(env, isSelected, range, steps, now);
  const seconds = secondsOf(range, now);
  const items = totals.map((row) => ({
    ...functionMetrics(row),
    callsPerSecond: round(row.calls / seconds),
    ...(points === undefined ? {} : { sparkline: row.sparkline }),
  }));
  return {
    from: new Date(range.from * 1000).toISOString(),
    to: new Date(range.to * 1000).toISOString(),
    ...(points === undefined ? {} : { stepSeconds: steps.step }),
    ...pageOf(items, sorting, last, parameters.limit),
  };
}

function pageOf(
  items: FunctionList["functions"],
  sorting: Sorting,
  last: Sortable | undefined,
  limit: number = limits.defaultFunctionsPerPage,
): Pick<FunctionList, "functions" | "next"> {
  const compare = comparing(sorting);
  const rest = (last ? items.filter((item) => compare(item, last) > 0) : items).sort(compare);
  const functions = rest.slice(0, limit);
  return { functions, next: rest.length > limit ? writeCursor(sorting, functions.at(-1)!) : null };
}

/** A cursor brings its sorting along; what is asked for besides must be the same. */
function sortingOf({
  cursor: text,
  sort,
  order,
}: {
  cursor?: string | undefined;
  sort?: Column | undefined;
  order?: Sorting["order"] | undefined;
}): { sorting: Sorting; last?: Sortable } {
  if (text === undefined) return { sorting: { sort: sort ?? "calls", order: order ?? "desc" } };
  const cursor = readCursor(text);
  if (!cursor) throw invalidParameter("cursor", text, "the `next` of the page before");
  if (sort !== undefined && sort !== cursor.sorting.sort) {
    throw invalidParameter("sort", sort, `${cursor.sorting.sort}, by which the cursor's list is sorted`);
  }
  if (order !== undefined && order !== cursor.sorting.order) {
    throw invalidParameter("order", order, `${cursor.sorting.order}, as in the cursor's list`);
  }
  return cursor;
}
