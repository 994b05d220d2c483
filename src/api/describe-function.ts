/** `GET /metrics/:service/:function`: one function since the beginning, over a range, and over time within it. */
import * as z from "zod";
import { type Sums, sumOf } from "../stats/delta.ts";
import { failuresOf } from "../store/read-failures.ts";
import { type Named, totalsOf } from "../store/read-functions.ts";
import { rollupsOf } from "../store/read-rollups.ts";
import { readExact } from "../read/exact.ts";
import { FailureMetrics, listFailures } from "./failures.ts";
import { CallMetrics, callMetrics, round, Seen, seen } from "./function-metrics.ts";
import { limits } from "../limits.ts";
import { isOf, mergeModules } from "../read/one-function.ts";
import { ModuleName, RangeParameters, Step } from "../http/parameters.ts";
import { applyStep, chooseStep, isWithin, rangeOf, secondsOf, stepOf, type Steps } from "../read/range.ts";

export const DescribeParameters = z.strictObject({
  module: ModuleName.optional(),
  ...RangeParameters.shape,
  step: Step.optional().meta({
    description:
      `The length of a step; chosen if left out, so that there are at most ${limits.defaultSeriesPoints}. It is widened ` +
      "where time is not kept as finely: minutes for 48 hours, hours for 90 days, then days.",
  }),
});

export const FunctionDescription = z.object({
  service: z.string(),
  function: z.string(),
  module: z.string().nullable().meta({ description: "Null where several modules are taken together." }),
  modules: z.array(z.string()).meta({ description: "The modules in which the name was met." }),
  totals: CallMetrics.extend(Seen.shape).meta({ description: "Since the beginning." }),
  failures: z.array(FailureMetrics).meta({ description: "Since the beginning, the most frequent first." }),
  from: z.iso.datetime().meta({ description: "As it was cut, at whole minutes or coarser." }),
  to: z.iso.datetime(),
  stepSeconds: z.int(),
  range: CallMetrics.extend({ callsPerSecond: z.number() }).meta({
    description: "From `from` on and before `to`.",
  }),
  series: z.array(CallMetrics.extend({ at: z.iso.datetime() })).meta({
    description:
      "A point for each step, also for those without calls. Steps are whole: the first may begin before `from`, " +
      "the last end after `to`.",
  }),
});
export type FunctionDescription = z.infer<typeof FunctionDescription>;

export async function describeFunction(
  env: Pick<Env, "BUFFER" | "DB">,
  named: Named,
  asked: { from?: number | undefined; to?: number | undefined; step?: number | undefined },
): Promise<FunctionDescription> {
  const now = Date.now();
  const range = rangeOf(asked, now);
  const steps =
    asked.step === undefined
      ? chooseStep(range, limits.defaultSeriesPoints, now)
      : applyStep(range, asked.step, now);
  const { covered, step } = steps;
  const read = await readExact(env, [totalsOf(named), failuresOf(named), rollupsOf(named, covered)]);
  const [storedTotals, storedFailures, rollups] = read.stored;
  const unapplied = read.unapplied.filter(isOf(named));
  const { modules, totals } = mergeModules(named, storedTotals, unapplied);

  const parts = [...rollups, ...unapplied.map((delta) => ({ ...delta, start: delta.minute }))].filter(
    ({ start }) => isWithin(covered, start),
  );
  const sums = sumOf(parts.filter(({ start }) => isWithin(range, start)));

  return {
    service: named.service,
    function: named.function,
    module: modules.length === 1 ? modules[0]! : null,
    modules,
    totals: { ...callMetrics(totals), ...seen(totals) },
    failures: listFailures(storedFailures, unapplied),
    from: iso(range.from),
    to: iso(range.to),
    stepSeconds: step,
    range: { ...callMetrics(sums), callsPerSecond: round(sums.calls / secondsOf(range, now)) },
    series: pointsOf(parts, steps).map(({ at, sums }) => ({ at: iso(at), ...callMetrics(sums) })),
  };
}

/** One for each step, also for those without calls. */
function pointsOf(parts: readonly (Sums & { start: number })[], steps: Steps): { at: number; sums: Sums }[] {
  const { covered, step } = steps;
  const byStep = Map.groupBy(parts, ({ start }) => stepOf(steps, start));
  return Array.from({ length: (covered.to - covered.from) / step }, (_, i) => ({
    at: covered.from + i * step,
    sums: sumOf(byStep.get(i) ?? []),
  }));
}

function iso(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString();
}
