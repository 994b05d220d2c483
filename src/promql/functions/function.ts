/** What a function of the language is: its signature and one of four kinds of implementation. */
import type { Annotations } from "../annotations.ts";
import type { Call, ValueType } from "../ast.ts";
import type { Budget } from "../evaluate/budget.ts";
import type { Samples } from "../evaluate/track.ts";
import type { Grid, Row, Value } from "../evaluate/value.ts";
import type { Histogram } from "../histogram/histogram.ts";
import type { Labels } from "../labels.ts";
import type { Span } from "../position.ts";

export interface FunctionEntry {
  readonly parameters: readonly ValueType[];
  /** If not 0, the last parameter may be missing or occur up to this many times. */
  readonly optional: number;
  readonly returns: ValueType;
  readonly body: FunctionBody;
}

export type FunctionTable = Record<string, FunctionEntry>;

export type FunctionBody =
  /** Maps each number of an instant vector. Histograms are left out, names dropped. */
  | { readonly kind: "numbers"; readonly map: (value: number) => number }
  /** Maps each histogram of an instant vector to a number. */
  | { readonly kind: "histograms"; readonly map: (histogram: Histogram) => number }
  /** Makes one value of the samples in a window. */
  | WindowBody
  /** Makes the result of all arguments at once. */
  | { readonly kind: "values"; readonly apply: (args: readonly Value[], context: CallContext) => Value };

export interface WindowBody {
  readonly kind: "window";
  readonly apply: (window: Window, context: WindowContext) => number | Histogram | undefined;
  /** How many operations a sample takes, as the budget counts them. 1 by default. */
  readonly cost?: number;
  /** The result is still the metric's value, so that its name stays. */
  readonly keepsName?: boolean;
  /** What an integral series gives instead: its increase over the window, or that per second. */
  readonly ofIntegral?: "increase" | "rate";
  /** Changes the result of all series. `inputs` are their label sets before names were dropped. */
  readonly finish?: (rows: Row[], inputs: readonly Labels[], context: CallContext) => Row[];
}

export interface CallContext {
  readonly call: Call;
  readonly grid: Grid;
  readonly annotations: Annotations;
  /** Whether names are dropped at the end of the query only. */
  readonly delayedNames: boolean;
  readonly budget: Budget;
}

/** The samples of one series in a window of time. Reused for the next window. */
export interface Window {
  /** The window is (startMs, endMs]. */
  startMs: number;
  endMs: number;
  /** The time of the evaluation, which an offset separates from the window's end. */
  evaluationMs: number;
  /** The length of the window in seconds. */
  rangeSeconds: number;
  floats: Samples<number>;
  /** The floats in the window are those from `from` up to, but without, `to`. */
  from: number;
  to: number;
  histograms: Samples<Histogram>;
  histogramFrom: number;
  histogramTo: number;
  /** The scalar argument at this step, if the function has one. */
  parameter: number;
}

export interface WindowContext {
  readonly annotations: Annotations;
  readonly metricName: string;
  /** The place of the range vector in the query, and that of the first argument. */
  readonly span: Span;
  readonly firstSpan: Span;
}

export const countFloats = (window: Window): number => window.to - window.from;
export const countHistograms = (window: Window): number => window.histogramTo - window.histogramFrom;

/** A function of one range vector. */
export const ofWindow = (apply: WindowBody["apply"], more: Partial<WindowBody> = {}): FunctionEntry => ({
  parameters: ["matrix"],
  optional: 0,
  returns: "vector",
  body: { kind: "window", apply, ...more },
});

/** A function that gets all its arguments at once. */
export const ofValues = (
  parameters: ValueType[],
  apply: (args: readonly Value[], context: CallContext) => Value,
  returns: ValueType = "vector",
): FunctionEntry => ({ parameters, optional: 0, returns, body: { kind: "values", apply } });
