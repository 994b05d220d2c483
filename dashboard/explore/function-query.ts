/** The query to which a function's page links: its calls per second, by whether they failed. */
import { boundsOf, MINUTE_MS } from "../range/bounds.ts";
import { writeLength } from "../range/moment.ts";
import type { FunctionName, View } from "../view/view.ts";
import { chartStep } from "./questions.ts";

/** A shorter window makes rates jump. */
const LEAST_WINDOW_MS = 5 * MINUTE_MS;

/** The window is at least the chart's step, so that every call counts. `now` is the server's time. */
export function functionQuery(
  { service, module, function: name }: FunctionName,
  { range }: View,
  now: number,
) {
  const matchers = Object.entries({ function: name, module, service_name: service })
    .filter(([, value]) => value !== undefined)
    .map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  const window = Math.max(LEAST_WINDOW_MS, chartStep(boundsOf(range, now), now));
  return `sum by (result) (rate(function_calls_total{${matchers.join(", ")}}[${writeLength(window)}]))`;
}
