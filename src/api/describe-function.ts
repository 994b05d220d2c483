/** `GET /metrics/:service/:function`: one function: its totals, its sums over a range, and its points within the range. */
import * as z from "zod";
import { READ_ERRORS, route } from "../http/route.ts";
import { FunctionName, ModuleName, RangeParameters, ServiceName, Step } from "../http/parameters.ts";
import { UnknownSeriesError } from "../read/errors.ts";
import { type FunctionName as NamedFunction, inNormalForm } from "../read/matchers.ts";
import {
  applyStep,
  type AskedRange,
  chooseStep,
  resolveRange,
  secondsWithData,
  stepStarts,
} from "../read/range.ts";
import { type Point, type ReadBindings, readDetailedSeries } from "../read/series.ts";
import {
  CallMetrics,
  callMetrics,
  FailureMetrics,
  failureMetrics,
  round,
  Seen,
  seen,
} from "./function-metrics.ts";
import { isoTime } from "./iso-time.ts";
import { limits } from "./limits.ts";
import { mergeFailures } from "../stats/failures.ts";
import { sumBySeries, sumOf, type Sums } from "../stats/sums.ts";

export const DescribeParameters = z.strictObject({
  module: ModuleName.optional(),
  ...RangeParameters.shape,
  step: Step.optional().meta({
    description:
      `The length of a step. If left out, it is chosen so that there are at most ${limits.defaultSeriesPoints} steps. ` +
      "It is widened where time is not kept as finely: minutes for 48 hours, hours for 90 days, then days.",
  }),
});

/** The time that a part of an answer covers. */
const Covered = { from: z.iso.datetime(), to: z.iso.datetime() };

export const FunctionDescription = z.object({
  service: z.string(),
  function: z.string(),
  module: z.string().nullable().meta({ description: "Null if several modules are added up." }),
  modules: z.array(z.string()).meta({ description: "The modules that have a function of this name." }),
  from: z.iso.datetime().meta({ description: "The range that is covered, at whole minutes, hours or days." }),
  to: z.iso.datetime(),
  stepSeconds: z.int(),
  range: CallMetrics.extend({ ...Covered, callsPerSecond: z.number() }).meta({
    description:
      "From `from` on and before `to`. `callsPerSecond` is over the part of the range since the function's first call.",
  }),
  series: z.array(CallMetrics.extend({ at: z.iso.datetime() })).meta({
    description:
      "A point for each step, also for steps without calls. The points add up to `range`. `at` is the start of the " +
      "step, at a multiple of its length; of the first and the last step only what lies in the range counts.",
  }),
  totals: CallMetrics.extend({ from: Covered.from, ...Seen.shape }).meta({
    description: "From the function's first call until now, whatever the range.",
  }),
  failures: z.array(FailureMetrics).meta({
    description: "From the function's first call until now, whatever the range. The most frequent first.",
  }),
});
export type FunctionDescription = z.infer<typeof FunctionDescription>;

const answers = { answer: FunctionDescription, errors: [...READ_ERRORS, 404] } as const;

export const describeFunctionRoute = route({
  method: "get",
  path: "/metrics/:service/:function",
  right: "read",
  summary: "One function, its failures, and what it did over time",
  description:
    "Names in the path are percent-encoded. For a function named `.` or `..`, use `GET /function`.",
  query: DescribeParameters,
  ...answers,
  handler: (c, { params, query: { module, ...asked } }) =>
    describeFunction(c.env, { ...inNormalForm(params), module }, asked),
});

export const describeFunctionByQueryRoute = route({
  method: "get",
  path: "/function",
  right: "read",
  summary: "As `GET /metrics/{service}/{function}`, for names that a path cannot hold, such as `..`",
  query: DescribeParameters.extend({ service: ServiceName, function: FunctionName }),
  ...answers,
  handler: (c, { query: { service, function: name, module, ...asked } }) =>
    describeFunction(c.env, { service, function: name, module }, asked),
});

export async function describeFunction(
  env: ReadBindings,
  name: NamedFunction,
  asked: AskedRange & { step?: number | undefined },
): Promise<FunctionDescription> {
  const now = Date.now();
  const range = resolveRange(asked, now);
  const step =
    asked.step === undefined
      ? chooseStep(range, limits.defaultSeriesPoints, now)
      : applyStep(range, asked.step, limits.seriesPoints, now);
  const modules = await readDetailedSeries(env, name, range, step);
  const [totals] = sumBySeries(modules.map((series) => ({ ...series, ...series.totals, module: "" })));
  if (!totals) throw new UnknownSeriesError(name);

  const points = addUp(modules.flatMap((series) => series.points));
  const sums = sumOf([...points.values()]);
  const covered = { from: isoTime(range.from), to: isoTime(range.to) };
  const { firstSeen } = seen(totals);
  return {
    service: name.service,
    function: name.function,
    module: modules.length === 1 ? modules[0]!.module : null,
    modules: modules.map((series) => series.module).sort(),
    ...covered,
    stepSeconds: step,
    range: {
      ...covered,
      ...callMetrics(sums),
      callsPerSecond: round(sums.calls / secondsWithData(range, totals.firstSeen, now)),
    },
    series: stepStarts(range, step).map((at) => ({
      at: isoTime(at),
      ...callMetrics(points.get(at) ?? sumOf([])),
    })),
    totals: { from: firstSeen, ...callMetrics(totals), ...seen(totals) },
    failures: failureMetrics(mergeFailures(modules.flatMap((series) => series.failures))),
  };
}

/** Adds up the points of several series, by the start of their step. */
function addUp(points: readonly Point[]): Map<number, Sums> {
  const byStep = Map.groupBy(points, ({ at }) => at);
  return new Map(Array.from(byStep, ([at, same]) => [at, sumOf(same.map(({ sums }) => sums))]));
}
