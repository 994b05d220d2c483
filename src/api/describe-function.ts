/** `GET /metrics/:service/:function`: one function since the beginning, over a range, and over time within it. */
import * as z from "zod";
import { READ_ERRORS, route } from "../http/route.ts";
import { ModuleName, RangeParameters, Step } from "../http/parameters.ts";
import { UnknownSeriesError } from "../read/errors.ts";
import type { FunctionName } from "../read/matchers.ts";
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

export const FunctionDescription = z.object({
  service: z.string(),
  function: z.string(),
  module: z.string().nullable().meta({ description: "Null if several modules are added up." }),
  modules: z.array(z.string()).meta({ description: "The modules that have a function of this name." }),
  totals: CallMetrics.extend(Seen.shape).meta({ description: "Since the beginning." }),
  failures: z.array(FailureMetrics).meta({ description: "Since the beginning, the most frequent first." }),
  from: z.iso.datetime().meta({ description: "The range that is covered, at whole minutes, hours or days." }),
  to: z.iso.datetime(),
  stepSeconds: z.int(),
  range: CallMetrics.extend({ callsPerSecond: z.number() }).meta({
    description:
      "From `from` on and before `to`. `callsPerSecond` is over the part of the range since the function's first call.",
  }),
  series: z.array(CallMetrics.extend({ at: z.iso.datetime() })).meta({
    description:
      "A point for each step, also for steps without calls. The points add up to `range`. `at` is the start of the " +
      "step, at a multiple of its length; of the first and the last step only what lies in the range counts.",
  }),
});
export type FunctionDescription = z.infer<typeof FunctionDescription>;

export const describeFunctionRoute = route({
  method: "get",
  path: "/metrics/:service/:function",
  right: "read",
  summary: "One function, its failures, and what it did over time",
  query: DescribeParameters,
  answer: FunctionDescription,
  errors: [...READ_ERRORS, 404],
  handler: (c, { params, query: { module, ...asked } }) =>
    describeFunction(c.env, { ...params, module }, asked),
});

export async function describeFunction(
  env: ReadBindings,
  name: FunctionName,
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
  return {
    service: name.service,
    function: name.function,
    module: modules.length === 1 ? modules[0]!.module : null,
    modules: modules.map((series) => series.module).sort(),
    totals: { ...callMetrics(totals), ...seen(totals) },
    failures: failureMetrics(mergeFailures(modules.flatMap((series) => series.failures))),
    from: isoTime(range.from),
    to: isoTime(range.to),
    stepSeconds: step,
    range: {
      ...callMetrics(sums),
      callsPerSecond: round(sums.calls / secondsWithData(range, totals.firstSeen, now)),
    },
    series: stepStarts(range, step).map((at) => ({
      at: isoTime(at),
      ...callMetrics(points.get(at) ?? sumOf([])),
    })),
  };
}

/** Adds up the points of several series, by the start of their step. */
function addUp(points: readonly Point[]): Map<number, Sums> {
  const byStep = Map.groupBy(points, ({ at }) => at);
  return new Map(Array.from(byStep, ([at, same]) => [at, sumOf(same.map(({ sums }) => sums))]));
}
