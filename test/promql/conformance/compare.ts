/** Compares what the engine answered with what a promqltest file expects. */
import type { InstantResult, Notes, RangeResult } from "../../../src/promql/engine.ts";
import {
  type Histogram,
  compact,
  equalLists,
  formatHistogram,
} from "../../../src/promql/histogram/histogram.ts";
import { type Labels, compareLabels, formatLabels, labelsKey } from "../../../src/promql/labels.ts";
import { almostEqual } from "../../../src/promql/numbers.ts";
import type { Point } from "./notation.ts";
import type { Evaluation, Expectation } from "./script.ts";

/** The relative difference that Prometheus' own runner allows. */
const TOLERANCE = 1e-6;

type Value = number | Histogram;

export class Mismatch extends Error {}

export function expectationsOf(evaluation: Evaluation, type: Expectation["type"]): Expectation[] {
  return evaluation.expectations.filter((expectation) => expectation.type === type);
}

/** Every expected annotation must be there, and with an expectation of its kind, no other. */
export function compareNotes(evaluation: Evaluation, { warnings, infos }: Notes): void {
  for (const [type, none, texts] of [
    ["warn", "no_warn", warnings] as const,
    ["info", "no_info", infos] as const,
  ]) {
    const expected = expectationsOf(evaluation, type);
    const accepted = (text: string): boolean => expected.some(({ accepts }) => !accepts || accepts(text));
    if (expected.length > 0) {
      if (texts.length === 0) throw new Mismatch(`expected a ${type}, got none`);
      for (const { accepts } of expected) {
        if (accepts && !texts.some(accepts))
          throw new Mismatch(`expected another ${type} than ${texts.join(" | ")}`);
      }
      const other = texts.find((text) => !accepted(text));
      if (other !== undefined) throw new Mismatch(`did not expect the ${type} ${other}`);
    }
    if (expectationsOf(evaluation, none).length > 0 && texts.length > 0) {
      throw new Mismatch(`expected no ${type}, got ${texts.join(" | ")}`);
    }
  }
}

export function compareInstant(evaluation: Evaluation, result: InstantResult): void {
  switch (result.type) {
    case "scalar":
      if (evaluation.scalar === undefined) throw new Mismatch(`did not expect the scalar ${result.value}`);
      return compareValue({ value: evaluation.scalar, hasHint: false }, result.value, "scalar");
    case "string":
      if (result.value !== (evaluation.text ?? ""))
        throw new Mismatch(`did not expect the string ${result.value}`);
      return;
    case "vector":
      return compareVector(evaluation, result.samples);
    case "matrix": {
      const { startMs, stepMs } = evaluation.matrix ?? { startMs: 0, stepMs: 1 };
      return compareMatrix(evaluation, result, startMs, stepMs);
    }
  }
}

export function compareVector(
  evaluation: Evaluation,
  samples: readonly { labels: Labels; value: Value }[],
): void {
  if (evaluation.scalar !== undefined) throw new Mismatch("expected a scalar, got a vector");
  const isOrdered = expectationsOf(evaluation, "ordered").length > 0;
  const expected = new Map(evaluation.series.map((one, index) => [labelsKey(one.labels), { ...one, index }]));
  for (const [index, { labels, value }] of samples.entries()) {
    const match = expected.get(labelsKey(labels));
    if (!match) throw new Mismatch(`did not expect ${formatLabels(labels)} ${printValue(value)}`);
    if (isOrdered && match.index !== index)
      throw new Mismatch(`${formatLabels(labels)} is at position ${index}`);
    compareValue(match.points[0]!, value, formatLabels(labels));
    expected.delete(labelsKey(labels));
  }
  for (const { labels } of expected.values()) throw new Mismatch(`${formatLabels(labels)} is missing`);
}

export function compareMatrix(
  evaluation: Evaluation,
  { series }: RangeResult | { series: RangeResult["series"] },
  startMs: number,
  stepMs: number,
): void {
  const expected = new Map(evaluation.series.map((one) => [labelsKey(one.labels), one]));
  for (const [index, { labels, times, values }] of series.entries()) {
    const name = formatLabels(labels);
    if (index > 0 && compareLabels(series[index - 1]!.labels, labels) > 0)
      throw new Mismatch(`${name} is not in order`);
    const match = expected.get(labelsKey(labels));
    if (!match) throw new Mismatch(`did not expect ${name} with ${values.map(printValue).join(" ")}`);
    const points = match.points
      .map((point, at) => ({ point, timeMs: startMs + at * stepMs }))
      .filter(({ point }) => point.value !== undefined);
    if (points.length !== values.length || points.some(({ timeMs }, at) => timeMs !== times[at])) {
      throw new Mismatch(
        `${name} has ${values.map((value, at) => `${printValue(value)}@${times[at]}`).join(" ")}`,
      );
    }
    for (const [at, { point }] of points.entries())
      compareValue(point, values[at]!, `${name} at ${times[at]}`);
    expected.delete(labelsKey(labels));
  }
  for (const { labels } of expected.values()) throw new Mismatch(`${formatLabels(labels)} is missing`);
}

const printValue = (value: Value): string =>
  typeof value === "number" ? String(value) : formatHistogram(value);

function compareValue({ value: expected, hasHint }: Point, actual: Value, name: string): void {
  const fail = (): never => {
    const wanted =
      typeof expected === "object" && expected
        ? `${formatHistogram(expected)} ${expected.resetHint}`
        : expected;
    const got = typeof actual === "object" ? `${formatHistogram(actual)} ${actual.resetHint}` : actual;
    throw new Mismatch(`${name}: expected ${wanted}, got ${got}`);
  };
  if (typeof expected === "number" && typeof actual === "number") {
    if (!almostEqual(expected, actual, TOLERANCE)) fail();
    return;
  }
  if (typeof expected !== "object" || expected === null || typeof actual !== "object") return fail();
  if (!sameHistogram(compact(expected), compact(actual))) fail();
  if (hasHint && expected.resetHint !== actual.resetHint) fail();
}

function sameHistogram(a: Histogram, b: Histogram): boolean {
  const near = (x: number, y: number): boolean => almostEqual(x, y, TOLERANCE);
  return (
    a.schema === b.schema &&
    near(a.count, b.count) &&
    near(a.sum, b.sum) &&
    near(a.zeroCount, b.zeroCount) &&
    a.zeroThreshold === b.zeroThreshold &&
    equalLists(a.customBounds, b.customBounds) &&
    (["positive", "negative"] as const).every(
      (side) =>
        equalLists(a[side].indexes, b[side].indexes) &&
        a[side].counts.every((count, at) => near(count, b[side].counts[at]!)),
    )
  );
}
