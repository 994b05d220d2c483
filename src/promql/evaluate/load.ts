/** Asks the source for the series of every selector of a query, all at once and each only once. */
import { type Expression, type VectorSelector, childrenOf, unwrap } from "../ast.ts";
import { executionError } from "../errors.ts";
import { sizeOfHistogram } from "../histogram/histogram.ts";
import type { Hints, SampleValue, Series, Source } from "../source.ts";
import type { Budget } from "./budget.ts";
import { shiftOf } from "./places.ts";
import { Track } from "./track.ts";
import { type Grid, type QueryEnds, timeAt } from "./value.ts";

export interface LoadOptions {
  grid: Grid;
  ends: QueryEnds;
  lookbackMs: number;
  budget: Budget;
}

interface Request {
  selector: VectorSelector;
  fromMs: number;
  toMs: number;
  hints: Hints;
}

/** The samples of each selector. */
export type Loaded = ReadonlyMap<VectorSelector, Track[]>;

export async function loadSeries(root: Expression, source: Source, options: LoadOptions): Promise<Loaded> {
  const requests = collectRequests(root, options);
  const answers = new Map<string, Promise<Track[]>>();
  const loaded = new Map<VectorSelector, Track[]>();
  for (const { selector, fromMs, toMs, hints } of requests) {
    const key = keyOfRequest(selector, fromMs, toMs, hints);
    if (!answers.has(key)) answers.set(key, read(source, selector, fromMs, toMs, hints, options.budget));
  }
  await Promise.all(answers.values());
  for (const { selector, fromMs, toMs, hints } of requests) {
    loaded.set(selector, await answers.get(keyOfRequest(selector, fromMs, toMs, hints))!);
  }
  return loaded;
}

async function read(
  source: Source,
  selector: VectorSelector,
  fromMs: number,
  toMs: number,
  hints: Hints,
  budget: Budget,
): Promise<Track[]> {
  const series: readonly Series[] = await source.select(selector.matchers, fromMs, toMs, hints);
  if (series.length > hints.maxSeries) {
    throw executionError(`selector matches more than ${hints.maxSeries} series, add matchers to it`);
  }
  for (const { values } of series)
    budget.hold(values instanceof Float64Array ? values.length : sizeOfSamples(values));
  return series.map((one) => new Track(one));
}

function sizeOfSamples(values: ArrayLike<SampleValue>): number {
  let size = 0;
  for (let at = 0; at < values.length; at++) {
    const value = values[at]!;
    size += typeof value === "object" && value !== null ? sizeOfHistogram(value) : 1;
  }
  return size;
}

/** Equal for selectors that ask for the same series for the same use. */
function keyOfRequest({ matchers }: VectorSelector, fromMs: number, toMs: number, hints: Hints): string {
  const texts = matchers.map(({ name, operator, value }) => [name, operator, value]);
  return JSON.stringify([
    texts,
    fromMs,
    toMs,
    hints.function,
    hints.rangeMs,
    hints.aggregation,
    hints.inSubquery,
  ]);
}

function collectRequests(root: Expression, { grid, ends, lookbackMs, budget }: LoadOptions): Request[] {
  const requests: Request[] = [];

  /** `path` are the expressions around this one, from the outside to the inside. */
  const visit = (expression: Expression, fromMs: number, toMs: number, path: readonly Expression[]): void => {
    const inside = [...path, expression];
    if (expression.kind === "subquery") {
      const shift = shiftOf(expression, ends);
      visit(expression.inner, shift(fromMs) - expression.rangeMs, shift(toMs), inside);
    } else if (expression.kind === "range" || expression.kind === "selector") {
      const isRange = expression.kind === "range";
      const selector = isRange ? expression.selector : expression;
      const shift = shiftOf(selector, ends);
      const rangeMs = isRange ? expression.rangeMs : 0;
      const hints: Hints = {
        stepMs: grid.stepMs,
        inSubquery: path.some(({ kind }) => kind === "subquery"),
        ...describePath(expression, path),
        rangeMs,
        signal: budget.signal,
        maxSeries: budget.maxSeries,
      };
      requests.push({
        selector,
        fromMs: shift(fromMs) - (isRange ? rangeMs : lookbackMs),
        toMs: shift(toMs),
        hints,
      });
    } else for (const child of childrenOf(expression)) visit(child, fromMs, toMs, inside);
  };

  visit(root, grid.startMs, timeAt(grid, grid.steps - 1), []);
  return requests;
}

/** The function directly around a selector, and the aggregation directly around that. */
function describePath(
  selected: Expression,
  path: readonly Expression[],
): Pick<Hints, "function" | "aggregation"> {
  const around = path.filter(({ kind }) => kind !== "parentheses");
  let inner = selected;
  let parent = around.pop();
  const call = parent?.kind === "call" ? parent : undefined;
  if (call) {
    inner = call;
    parent = around.pop();
  }
  // Not if it is only the parameter of the aggregation.
  const aggregation = parent?.kind === "aggregation" && unwrap(parent.inner) === inner ? parent : undefined;
  return {
    function: call?.name ?? "",
    aggregation: aggregation && {
      operator: aggregation.operator,
      labels: aggregation.labels,
      without: aggregation.without,
    },
  };
}
