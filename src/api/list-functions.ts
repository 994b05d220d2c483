/** `GET /metrics` as JSON: lists functions with their metrics, filtered, sorted and in pages. */
import * as z from "zod";
import { readForgetAfterMs } from "../configuration.ts";
import { InvalidParameterError } from "../errors.ts";
import { oneOf, RangeParameters, ServiceName, wholeNumber, Words } from "../http/parameters.ts";
import { READ_ERRORS, route } from "../http/route.ts";
import { byPattern, type Matchers } from "../read/matchers.ts";
import type { Range } from "../stats/interval.ts";
import { chooseStep, optionalRange, secondsWithData, stepStarts } from "../read/range.ts";
import { ONE_STEP, type Point, type ReadBindings, readSeries, readTotals } from "../read/series.ts";
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
import { isoTime } from "./iso-time.ts";
import { limits } from "./limits.ts";
import { sumOf } from "../stats/sums.ts";

export const ListParameters = z.strictObject({
  format: oneOf(["json", "prometheus", "openmetrics"]).optional().meta({
    description:
      "Overrides `Accept`. With prometheus or openmetrics, the only other parameters are service, function and q.",
  }),
  service: ServiceName.optional(),
  function: z
    .string()
    .optional()
    .meta({
      description:
        "The name, or its beginning followed by `*`. `\\*` stands for a `*` in the name, and `\\\\` for a `\\`.",
      examples: ["charge*"],
    }),
  q: Words.optional().meta({
    description: "Words. Each is contained in the service, the module or the name.",
  }),
  ...RangeParameters.shape,
  points: wholeNumber(2, limits.sparklinePoints).optional().meta({
    description: "With a range: adds calls and errors over time to each item, in at most so many steps.",
  }),
  sort: oneOf(SORTABLE).optional().meta({ description: "`calls` if left out. Nulls come last." }),
  order: oneOf(["desc", "asc"]).optional().meta({ description: "`desc` if left out." }),
  silent: oneOf(["include"]).optional().meta({
    description:
      "Includes functions without a call for FORGET_AFTER_DAYS. They are left out otherwise, unless they have calls in the range.",
  }),
  limit: wholeNumber(1, limits.functionsPerPage).optional(),
  cursor: z
    .string()
    .optional()
    .meta({
      description:
        "The `cursor` of the page before. The list continues after the last value and name of that page, so an item that " +
        "moves in the meantime may appear twice or not at all.",
    }),
});

export const FunctionList = z.object({
  from: z.iso
    .datetime()
    .optional()
    .meta({ description: "With a range: the range that is covered, at whole minutes, hours or days." }),
  to: z.iso.datetime().optional(),
  stepSeconds: z.int().optional().meta({ description: "With `points`: the length of a step." }),
  functions: z.array(
    FunctionMetrics.extend({
      callsPerSecond: z.number().optional().meta({
        description: "With a range: calls per second of it, from the function's first call on.",
      }),
      sparkline: z
        .object({ calls: z.array(z.int()), errors: z.array(z.int()) })
        .optional()
        .meta({
          description:
            "With `points`: one number for each step, also for steps without calls. Steps start at multiples of their " +
            "length; of the first and the last step only what lies in the range counts.",
        }),
    }),
  ),
  cursor: z.string().nullable().meta({
    description: "For the next page, as the parameter of the same name. Null on the last page.",
  }),
  next: z.string().nullable().meta({ description: "The older name of `cursor`.", deprecated: true }),
});
export type FunctionList = z.infer<typeof FunctionList>;

type ListBindings = ReadBindings & Partial<Pick<Env, "FORGET_AFTER_DAYS">>;
type Item = FunctionList["functions"][number];

export const listFunctionsRoute = route({
  method: "get",
  path: "/metrics",
  right: "read",
  summary: "Functions and what they did",
  description:
    "Since the beginning, or over a range. Every acknowledged call is counted at once. The answer is Prometheus' text " +
    "format or OpenMetrics if `Accept` or `format` asks for it.",
  query: ListParameters,
  answer: FunctionList,
  errors: READ_ERRORS,
  handler: (c, { query }) => listFunctions(c.env, query),
});

export async function listFunctions(
  env: ListBindings,
  parameters: z.output<typeof ListParameters>,
): Promise<FunctionList> {
  const { sorting, last, now = Date.now() } = positionOf(parameters);
  const range = optionalRange(parameters, now);
  const { service, function: pattern, q } = parameters;
  const matchers = { service, words: q, ...byPattern(pattern) };
  const shownSince = parameters.silent === "include" ? 0 : now - readForgetAfterMs(env);
  const isListed = ({ lastSeen }: { lastSeen: number }) => lastSeen >= shownSince;
  if (!range) {
    requireRange("points", parameters.points);
    requireRange("sort", sorting.sort === "callsPerSecond" ? sorting.sort : undefined);
    const totals = (await readTotals(env, matchers)).filter(isListed);
    return pageOf(totals.map(functionMetrics), sorting, last, now, parameters.limit);
  }
  const { points } = parameters;
  const step = points === undefined ? ONE_STEP : chooseStep(range, points, now);
  const items = (await readItems(env, matchers, range, step, now)).filter(
    (item) => item.calls > 0 || isListed({ lastSeen: Date.parse(item.lastSeen) }),
  );
  return {
    from: isoTime(range.from),
    to: isoTime(range.to),
    ...(step === ONE_STEP ? {} : { stepSeconds: step }),
    ...pageOf(items, sorting, last, now, parameters.limit),
  };
}

function requireRange(parameter: string, value: unknown): void {
  if (value === undefined) return;
  throw new InvalidParameterError(parameter, value, "left out, or given together with a range (from)");
}

async function readItems(
  env: ReadBindings,
  matchers: Matchers,
  range: Range,
  step: number,
  now: number,
): Promise<Item[]> {
  const starts = step === ONE_STEP ? [] : stepStarts(range, step);
  const items: Item[] = [];
  for await (const series of readSeries(env, matchers, range, step)) {
    const sums = sumOf(series.points.map((point) => point.sums));
    items.push({
      ...functionMetrics({ ...series, ...sums }),
      callsPerSecond: round(sums.calls / secondsWithData(range, series.firstSeen, now)),
      ...(step === ONE_STEP ? {} : { sparkline: sparklineOf(series.points, starts) }),
    });
  }
  return items;
}

function sparklineOf(points: readonly Point[], starts: readonly number[]): NonNullable<Item["sparkline"]> {
  const byStart = new Map(points.map(({ at, sums }) => [at, sums]));
  return {
    calls: starts.map((at) => byStart.get(at)?.calls ?? 0),
    errors: starts.map((at) => byStart.get(at)?.errors ?? 0),
  };
}

function pageOf(
  items: Item[],
  sorting: Sorting,
  last: Sortable | undefined,
  now: number,
  limit: number = limits.defaultFunctionsPerPage,
): Pick<FunctionList, "functions" | "cursor" | "next"> {
  const compare = comparing(sorting);
  const rest = (last ? items.filter((item) => compare(item, last) > 0) : items).sort(compare);
  const functions = rest.slice(0, limit);
  const cursor = rest.length > limit ? writeCursor(sorting, functions.at(-1)!, now) : null;
  return { functions, cursor, next: cursor };
}

/** A cursor holds the sorting of its list. If the request names a sorting too, it must be the same. */
function positionOf({
  cursor: text,
  sort,
  order,
}: {
  cursor?: string | undefined;
  sort?: Column | undefined;
  order?: Sorting["order"] | undefined;
}): { sorting: Sorting; last?: Sortable; now?: number } {
  if (text === undefined) return { sorting: { sort: sort ?? "calls", order: order ?? "desc" } };
  const cursor = readCursor(text);
  if (!cursor) throw new InvalidParameterError("cursor", text, "the `cursor` of the page before");
  const { sorting } = cursor;
  if (sort !== undefined && sort !== sorting.sort) {
    throw new InvalidParameterError(
      "sort",
      sort,
      `${sorting.sort}, as in the list that the cursor continues`,
    );
  }
  if (order !== undefined && order !== sorting.order) {
    throw new InvalidParameterError(
      "order",
      order,
      `${sorting.order}, as in the list that the cursor continues`,
    );
  }
  return cursor;
}
