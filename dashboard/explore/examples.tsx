/** Queries to begin with, shown while there is none. */
import { Link } from "../view/link.tsx";
import type { View } from "../view/view.ts";

const EXAMPLES = [
  ["Calls per second", "sum by (function) (rate(function_calls_total[5m]))"],
  [
    "Share of calls that fail",
    'sum by (function) (rate(function_calls_total{result="error"}[5m])) / sum by (function) (rate(function_calls_total[5m]))',
  ],
  [
    "Average duration in seconds",
    "sum by (function) (rate(function_calls_duration_seconds_sum[5m])) / sum by (function) (rate(function_calls_duration_seconds_count[5m]))",
  ],
  [
    "99th percentile of durations in seconds",
    "histogram_quantile(0.99, sum by (function) (rate(function_calls_duration_seconds[5m])))",
  ],
  ["Calls of the last hour", "topk(10, sum by (function) (increase(function_calls_total[1h])))"],
] as const;

export function Examples({ view }: { view: View }) {
  return (
    <section class="examples">
      <h2>Queries to begin with</h2>
      <ul>
        {EXAMPLES.map(([what, query]) => (
          <li key={query}>
            {what}
            <Link to={{ ...view, query }}>
              <code>{query}</code>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
