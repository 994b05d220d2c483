/** All functions of the language by name, and the names of those that are refused. */
import type { FunctionTable } from "./function.ts";
import { histogramFunctions } from "./histograms.ts";
import { mathFunctions } from "./math.ts";
import { overTimeFunctions } from "./over-time.ts";
import { rateFunctions } from "./rate.ts";
import { vectorFunctions } from "./vectors.ts";

export const FUNCTIONS: FunctionTable = {
  ...mathFunctions,
  ...overTimeFunctions,
  ...rateFunctions,
  ...histogramFunctions,
  ...vectorFunctions,
};

/** Functions that Prometheus has as experiments. They may change, so this engine has none of them. */
export const EXPERIMENTAL_FUNCTIONS: ReadonlySet<string> = new Set([
  "double_exponential_smoothing",
  "end",
  "histogram_quantiles",
  "info",
  "mad_over_time",
  "max_of",
  "min_of",
  "range",
  "sort_by_label",
  "sort_by_label_desc",
  "start",
  "start_timestamp",
  "step",
  "ts_of_first_over_time",
  "ts_of_last_over_time",
  "ts_of_max_over_time",
  "ts_of_min_over_time",
]);
