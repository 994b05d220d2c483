/** Writes the results of queries as the JSON of the Prometheus HTTP API. */
import type { InstantResult, RangeResult, ResultSeries } from "../../promql/engine.ts";
import { type Histogram, listBuckets } from "../../promql/histogram/histogram.ts";
import type { Labels } from "../../promql/labels.ts";
import { formatValue } from "../../promql/numbers.ts";
import { TRUNCATED } from "./declare.ts";

/** The whole answer. Vectors and matrices have at most `limit` series. */
export function writeResult(result: InstantResult | RangeResult, limit: number): string {
  const { type, warnings, infos } = result;
  const list = type === "vector" ? result.samples : type === "matrix" ? result.series : [];
  const all = list.length > limit ? [...warnings, TRUNCATED] : warnings;
  const notes = [
    ...(all.length > 0 ? [`,"warnings":${JSON.stringify(all)}`] : []),
    ...(infos.length > 0 ? [`,"infos":${JSON.stringify(infos)}`] : []),
  ].join("");
  return `{"status":"success","data":{"resultType":"${type}","result":${writeValue(result, limit)}}${notes}}`;
}

function writeValue(result: InstantResult | RangeResult, limit: number): string {
  switch (result.type) {
    case "scalar":
      return `[${result.timeMs / 1000},"${formatValue(result.value)}"]`;
    case "string":
      return `[${result.timeMs / 1000},${JSON.stringify(result.value)}]`;
    case "vector": {
      const { timeMs, samples } = result;
      const texts = samples.slice(0, limit).map(({ labels, value }) => {
        const kind = typeof value === "number" ? "value" : "histogram";
        return `{"metric":${writeLabels(labels)},"${kind}":${writeSample(timeMs, value)}}`;
      });
      return writeList(texts);
    }
    case "matrix":
      return writeList(result.series.slice(0, limit).map(writeSeries));
  }
}

function writeSeries({ labels, times, values }: ResultSeries): string {
  const floats: string[] = [];
  const histograms: string[] = [];
  for (const [at, value] of values.entries()) {
    (typeof value === "number" ? floats : histograms).push(writeSample(times[at]!, value));
  }
  const parts = [
    `"metric":${writeLabels(labels)}`,
    ...(floats.length > 0 ? [`"values":${writeList(floats)}`] : []),
    ...(histograms.length > 0 ? [`"histograms":${writeList(histograms)}`] : []),
  ];
  return `{${parts.join(",")}}`;
}

const writeList = (texts: readonly string[]): string => `[${texts.join(",")}]`;

const writeLabels = (labels: Labels): string => JSON.stringify(Object.fromEntries(labels));

const writeSample = (timeMs: number, value: number | Histogram): string =>
  `[${timeMs / 1000},${typeof value === "number" ? `"${formatValue(value)}"` : writeHistogram(value)}]`;

function writeHistogram(histogram: Histogram): string {
  const buckets = listBuckets(histogram)
    .filter(({ count }) => count !== 0)
    .map(({ lower, upper, lowerInclusive, upperInclusive, count }) => {
      const kind = lowerInclusive ? (upperInclusive ? 3 : 1) : upperInclusive ? 0 : 2;
      return `[${kind},"${formatValue(lower)}","${formatValue(upper)}","${formatValue(count)}"]`;
    });
  const list = buckets.length > 0 ? `,"buckets":${writeList(buckets)}` : "";
  return `{"count":"${formatValue(histogram.count)}","sum":"${formatValue(histogram.sum)}"${list}}`;
}
