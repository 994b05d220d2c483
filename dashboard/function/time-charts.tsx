/** Two charts of one function over time: calls with errors, and duration percentiles. */
import { useMemo } from "preact/hooks";
import type { FunctionDescription } from "../api/client.ts";
import { count, countTick, duration, durationTick, exactly, text } from "../format.ts";
import { lengthName, zoomed } from "../range/range.ts";
import { goTo, type View } from "../view/view.ts";
import { Chart } from "./chart.tsx";
import { CALLS, PERCENTILES } from "./lines.ts";

interface TimeChartsProps {
  now: FunctionDescription;
  previous: FunctionDescription | undefined;
  view: View;
}

const writeCount = (value: number) => text(count(value));
const writeDuration = (value: number) => text(duration(value));

export function TimeCharts({ now, previous, view }: TimeChartsProps) {
  const { starts, calls, percentiles } = useMemo(() => dataOf(now, previous), [now, previous]);
  const zoom = (from: number, to: number) => goTo({ ...view, range: zoomed(from, to) });
  const { stepSeconds, range } = now;
  const common = { starts, stepSeconds, zoom };
  const hint = <span class="hint">{`per ${lengthName(stepSeconds * 1000)}, drag to zoom`}</span>;
  return (
    <div class="charts">
      <figure>
        <figcaption>
          <h2>Calls and errors</h2>
          {hint}
        </figcaption>
        <Chart
          {...common}
          label={`Calls and errors over time: ${exactly(range.calls, "call")}, ${exactly(range.errors, "error")}`}
          lines={CALLS}
          values={calls}
          isCount
          write={writeCount}
          writeTick={countTick}
        />
      </figure>
      <figure>
        <figcaption>
          <h2>Durations</h2>
          {hint}
        </figcaption>
        {range.p95Ms === null ? (
          <p class="nothing">No durations were measured in this range.</p>
        ) : (
          <Chart
            {...common}
            label={`Duration percentiles over time: p95 ${writeDuration(range.p95Ms)} in the whole range`}
            lines={PERCENTILES}
            values={percentiles}
            write={writeDuration}
            writeTick={durationTick}
          />
        )}
      </figure>
    </div>
  );
}

/** Lines up the previous range with the current one, step by step, if both have steps of the same length. */
function dataOf(now: FunctionDescription, previous: FunctionDescription | undefined) {
  const { series } = now;
  const isComparable = previous?.stepSeconds === now.stepSeconds;
  const before = series.map((_, i) => (isComparable ? previous?.series[i] : undefined));
  return {
    starts: series.map((point) => Date.parse(point.at)),
    calls: [
      series.map((point) => point.calls),
      // Null draws no bar; a bar of height 0 would leave a line.
      series.map((point) => point.errors || null),
      before.map((point) => point?.calls ?? null),
    ],
    percentiles: [
      series.map((point) => point.p50Ms),
      series.map((point) => point.p95Ms),
      series.map((point) => point.p99Ms),
      before.map((point) => point?.p95Ms ?? null),
    ],
  };
}
