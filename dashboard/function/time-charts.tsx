/** Two charts of one function over time: calls with errors, and duration percentiles. */
import { useMemo } from "preact/hooks";
import type { FunctionDescription } from "#worker/api/describe-function.d.ts";
import { count, duration, exact, text } from "../format.ts";
import { minuteWise } from "../view/range.ts";
import { goTo, type View } from "../view/view.ts";
import { Chart, type Line } from "./chart.tsx";

interface TimeChartsProps {
  now: FunctionDescription;
  before: FunctionDescription | undefined;
  view: View;
}

const CALLS: Line[] = [
  { label: "Calls", colour: "--calls", kind: "bars" },
  { label: "Errors", colour: "--failing-mark", kind: "bars" },
  { label: "Calls before", colour: "--faint", kind: "dashes" },
];

const PERCENTILES: Line[] = [
  { label: "p50", colour: "--p50", kind: "line" },
  { label: "p95", colour: "--p95", kind: "line" },
  { label: "p99", colour: "--p99", kind: "line" },
  { label: "p95 before", colour: "--faint", kind: "dashes" },
];

export function TimeCharts({ now, before, view }: TimeChartsProps) {
  const { calls, percentiles } = useMemo(() => dataOf(now, before), [now, before]);
  const zoom = (from: number, to: number) => goTo({ ...view, range: minuteWise({ from, to }) });
  const { stepSeconds, range } = now;
  return (
    <div class="charts">
      <figure>
        <figcaption>
          <h2>Calls and errors</h2>
          <span class="hint">Drag to zoom</span>
        </figcaption>
        <Chart
          label={`Calls and errors over time: ${exact(range.calls)} calls, ${exact(range.errors)} errors.`}
          lines={CALLS}
          data={calls}
          stepSeconds={stepSeconds}
          write={(value) => text(count(value))}
          zoom={zoom}
        />
      </figure>
      <figure>
        <figcaption>
          <h2>Durations</h2>
          <span class="hint">Drag to zoom</span>
        </figcaption>
        {range.p95Ms === null ? (
          <p class="nothing">No durations were measured in this range.</p>
        ) : (
          <Chart
            label={`Percentiles of durations over time${range.p95Ms === null ? "" : `: p95 ${text(duration(range.p95Ms))} in the whole range`}.`}
            lines={PERCENTILES}
            data={percentiles}
            stepSeconds={stepSeconds}
            write={(value) => text(duration(value))}
            zoom={zoom}
          />
        )}
      </figure>
    </div>
  );
}

/** Lines up the previous range with the current one, step by step, if both have steps of the same length. */
function dataOf(now: FunctionDescription, before: FunctionDescription | undefined) {
  const times = now.series.map((point) => Date.parse(point.at) / 1000);
  const isComparable = before !== undefined && before.stepSeconds === now.stepSeconds;
  const earlier = times.map((_, i) => (isComparable ? before.series[i] : undefined));
  return {
    calls: [
      times,
      now.series.map((point) => point.calls),
      // Null draws no bar; a bar of height 0 would leave a line.
      now.series.map((point) => point.errors || null),
      earlier.map((point) => point?.calls ?? null),
    ],
    percentiles: [
      times,
      now.series.map((point) => point.p50Ms),
      now.series.map((point) => point.p95Ms),
      now.series.map((point) => point.p99Ms),
      earlier.map((point) => point?.p95Ms ?? null),
    ],
  };
}
