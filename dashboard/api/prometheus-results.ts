/** What the Prometheus query API takes and answers. */

/** A time in epoch seconds, and the value as the server writes it: with all digits, or `NaN`, `+Inf`, `-Inf`. */
export type Sample = [seconds: number, value: string];

/** Of a bucket: whether its bounds belong to it, the bounds, and the count. */
type Bucket = [bounds: number, lower: string, upper: string, count: string];

export interface Histogram {
  count: string;
  sum: string;
  buckets?: Bucket[];
}

export type Labels = Record<string, string>;

/** A value is a number or a histogram. */
export interface Instant {
  metric: Labels;
  value?: Sample;
  histogram?: [seconds: number, histogram: Histogram];
}

export interface Series {
  metric: Labels;
  values?: Sample[];
  histograms?: [seconds: number, histogram: Histogram][];
}

export type InstantData =
  | { resultType: "vector"; result: Instant[] }
  | { resultType: "matrix"; result: Series[] }
  | { resultType: "scalar"; result: Sample }
  | { resultType: "string"; result: Sample };

export interface Result<Data> {
  data: Data;
  /** What the server has to say about the query. */
  warnings?: string[] | undefined;
  infos?: string[] | undefined;
}

/** The parameters of one request, by the names of the API. Times are epoch seconds. */
export type InstantQuestion = { query: string; time?: string; limit: string };
export type RangeQuestion = { query: string; start: string; end: string; step: string; limit: string };
