/** The chart of a query over the range. */
import { useMemo } from "preact/hooks";
import type { RangeQuestion, Result, Series } from "../api/prometheus-results.ts";
import { Chart } from "../function/chart.tsx";
import { CopyButton } from "../parts/copy-button.tsx";
import { lengthName, zoomed } from "../range/range.ts";
import { goTo, type View } from "../view/view.ts";
import { curlFor } from "./curl.ts";
import { lineFor, MOST_LINES } from "./lines.ts";
import { shortNumber } from "./number.ts";
import { furthest, numberOf, seriesName, sharedLabels } from "./series.ts";

interface ResultChartProps {
  steps: Result<Series[]> | Error;
  asked: RangeQuestion;
  view: View;
}

export function ResultChart({ steps, asked, view }: ResultChartProps) {
  const drawn = useMemo(() => (steps instanceof Error ? undefined : dataOf(steps.data, asked)), [steps]);
  const stepSeconds = Number(asked.step);
  const zoom = (from: number, to: number) => goTo({ ...view, range: zoomed(from, to) });
  return (
    <figure>
      <figcaption>
        <h2>Over time</h2>
        <span class="hint">
          {`a value every ${lengthName(stepSeconds * 1000)}, drag to zoom · `}
          <CopyButton
            label="Copy as curl"
            title="Copies a command that asks for these values"
            text={() => curlFor("/api/v1/query_range", asked)}
          />
        </span>
      </figcaption>
      {steps instanceof Error && <p class="nothing" role="alert">{`There is no chart: ${steps.message}`}</p>}
      {drawn && drawn.lines.length === 0 && <p class="nothing">{drawn.why}</p>}
      {drawn && drawn.lines.length > 0 && (
        <>
          <Chart
            label={`${asked.query} over time`}
            lines={drawn.lines}
            starts={drawn.starts}
            values={drawn.values}
            stepSeconds={stepSeconds}
            isOfMoments
            write={shortNumber}
            writeTick={shortNumber}
            zoom={zoom}
          />
          {drawn.left > 0 && (
            <p class="hint">
              {`The chart shows the ${MOST_LINES} series with the greatest values. The table has ${drawn.left} more. Use topk() or sum() to get fewer.`}
            </p>
          )}
        </>
      )}
    </figure>
  );
}

function dataOf(all: readonly Series[], asked: RangeQuestion) {
  const [start, end, step] = [Number(asked.start), Number(asked.end), Number(asked.step)];
  const starts = Array.from(
    { length: Math.round((end - start) / step) + 1 },
    (_, i) => (start + i * step) * 1000,
  );
  const numbers = all.filter(({ values = [] }) => values.length > 0);
  const series = furthest(numbers, MOST_LINES);
  const shared = sharedLabels(series.map(({ metric }) => metric));
  return {
    starts,
    lines: series.map(({ metric }, i) => lineFor(seriesName(metric, shared), i)),
    values: series.map(({ values = [] }) => {
      const row: (number | null)[] = starts.map(() => null);
      for (const [at, value] of values) row[Math.round((at - start) / step)] = numberOf(value) ?? null;
      return row;
    }),
    left: numbers.length - series.length,
    why:
      all.length === 0
        ? "The query has no values in this range."
        : "The values are histograms. A chart needs numbers: histogram_quantile(0.99, …) or histogram_avg(…).",
  };
}
